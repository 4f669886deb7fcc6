#include "config/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <random>

namespace liteferry::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Accepted {
  const char* given;
  const char* normal;
  const char* redacted;
  const char* displayed;
};

class AcceptedUrl : public testing::TestWithParam<Accepted> {};

TEST_P(AcceptedUrl, IsNormalisedRedactedAndDisplayed) {
  const Accepted& param = GetParam();
  const TargetUrl normal = NormalizeTargetUrl(param.given);
  EXPECT_EQ(normal.problem, "");
  EXPECT_EQ(normal.url, param.normal);
  EXPECT_EQ(RedactUrl(param.given), param.redacted);
  EXPECT_EQ(DisplayUrl(param.given), param.displayed);
}

TEST_P(AcceptedUrl, IsNormalisedToItself) {
  const TargetUrl again = NormalizeTargetUrl(NormalizeTargetUrl(GetParam().given).url);
  EXPECT_EQ(again.problem, "");
  EXPECT_EQ(again.url, GetParam().normal);
}

INSTANTIATE_TEST_SUITE_P(
    Uris, AcceptedUrl,
    testing::Values(
        Accepted{"postgresql://app:pw@orders-rw:5432/app", "postgresql://app:pw@orders-rw:5432/app",
                 "postgresql://app:***@orders-rw:5432/app", "postgresql://app@orders-rw:5432/app"},
        Accepted{"postgres://app@h/db", "postgresql://app@h/db", "postgresql://app@h/db",
                 "postgresql://app@h/db"},
        Accepted{"  POSTGRES://h/db\n", "postgresql://h/db", "postgresql://h/db",
                 "postgresql://h/db"},
        Accepted{"postgresql://", "postgresql://", "postgresql://", "postgresql://"},
        Accepted{"postgresql+psycopg2://u:pw@h/db", "postgresql://u:pw@h/db",
                 "postgresql://u:***@h/db", "postgresql://u@h/db"},
        Accepted{"postgresql+psycopg://u:pw@h/db?sslmode=require",
                 "postgresql://u:pw@h/db?sslmode=require",
                 "postgresql://u:***@h/db?sslmode=require", "postgresql://u@h/db"},
        Accepted{"postgresql+asyncpg://u:pw@h/db?ssl=require&prepared_statement_cache_size=0",
                 "postgresql://u:pw@h/db?sslmode=require",
                 "postgresql://u:***@h/db?sslmode=require", "postgresql://u@h/db"},
        Accepted{"postgresql+asyncpg://h/db?async_fallback=true&application_name=x",
                 "postgresql://h/db?application_name=x", "postgresql://h/db?application_name=x",
                 "postgresql://h/db"},
        Accepted{"postgresql+asyncpg://h/db?async_fallback=true", "postgresql://h/db",
                 "postgresql://h/db", "postgresql://h/db"},
        Accepted{"postgres+pg8000://u@h/db?ssl=TRUE", "postgresql://u@h/db?sslmode=require",
                 "postgresql://u@h/db?sslmode=require", "postgresql://u@h/db"},
        Accepted{"postgresql+asyncpg://h/db?ssl=false", "postgresql://h/db?sslmode=disable",
                 "postgresql://h/db?sslmode=disable", "postgresql://h/db"},
        Accepted{"postgresql+asyncpg://h/db?ssl=verify-full",
                 "postgresql://h/db?sslmode=verify-full", "postgresql://h/db?sslmode=verify-full",
                 "postgresql://h/db"},
        Accepted{"jdbc:postgresql://h:5432/db?user=u&password=pw",
                 "postgresql://h:5432/db?user=u&password=pw",
                 "postgresql://h:5432/db?user=u&password=***", "postgresql://u@h:5432/db"},
        Accepted{"postgresql://u:p%40%2Fw@h/d%20b", "postgresql://u:p%40%2Fw@h/d%20b",
                 "postgresql://u:***@h/d%20b", "postgresql://u@h/d%20b"},
        Accepted{"postgresql://app:p#a:s\"s$w?&@h/db", "postgresql://app:p#a:s\"s$w?&@h/db",
                 "postgresql://app:***@h/db", "postgresql://app@h/db"},
        Accepted{"postgresql://u:pw@h1:1,h2:2/db?target_session_attrs=read-write",
                 "postgresql://u:pw@h1:1,h2:2/db?target_session_attrs=read-write",
                 "postgresql://u:***@h1:1,h2:2/db?target_session_attrs=read-write",
                 "postgresql://u@h1:1,h2:2/db"},
        Accepted{"postgresql://u:pw@[::1]:5432/db", "postgresql://u:pw@[::1]:5432/db",
                 "postgresql://u:***@[::1]:5432/db", "postgresql://u@[::1]:5432/db"},
        Accepted{"postgresql:///db?host=/run/pg&sslpassword=s&passfile=/f",
                 "postgresql:///db?host=/run/pg&sslpassword=s&passfile=/f",
                 "postgresql:///db?host=/run/pg&sslpassword=***&passfile=***",
                 "postgresql://%2Frun%2Fpg/db"},
        // The name of a parameter may be percent-encoded too.
        Accepted{"postgresql://h/db?pass%77ord=pw", "postgresql://h/db?password=pw",
                 "postgresql://h/db?password=***", "postgresql://h/db"},
        Accepted{"postgresql://h/db?application_name=a@b", "postgresql://h/db?application_name=a@b",
                 "postgresql://h/db?application_name=a@b", "postgresql://h/db"}));

INSTANTIATE_TEST_SUITE_P(
    KeywordStrings, AcceptedUrl,
    testing::Values(Accepted{"host=h dbname=db user=u password=pw port=5433",
                             "host=h dbname=db user=u password=pw port=5433",
                             "host=h dbname=db user=u password=*** port=5433",
                             "postgresql://u@h:5433/db"},
                    Accepted{" password = 'it\\'s \\\\ secret'  host=h ",
                             "password = 'it\\'s \\\\ secret'  host=h", "password = ***  host=h",
                             "postgresql://h"},
                    Accepted{"host=h password=a\\ b://c", "host=h password=a\\ b://c",
                             "host=h password=***", "postgresql://h"},
                    Accepted{"sslpassword=x passfile='' host=h", "sslpassword=x passfile='' host=h",
                             "sslpassword=*** passfile=*** host=h", "postgresql://h"},
                    Accepted{"host=h dbname='postgresql://u:pw@h/db'",
                             "host=h dbname='postgresql://u:pw@h/db'", "host=h dbname=***",
                             "postgresql://h/***"}));

struct Refused {
  const char* given;
  const char* said;
};

class RefusedUrl : public testing::TestWithParam<Refused> {};

TEST_P(RefusedUrl, SaysWhyWithoutTheSecret) {
  const TargetUrl normal = NormalizeTargetUrl(GetParam().given);
  EXPECT_EQ(normal.url, "");
  EXPECT_THAT(normal.problem, HasSubstr(GetParam().said));
  EXPECT_THAT(normal.problem, Not(HasSubstr("S3CR")));
  EXPECT_EQ(RedactUrl(GetParam().given), "***");
  EXPECT_EQ(DisplayUrl(GetParam().given), "***");
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RefusedUrl,
    testing::Values(Refused{"", "neither a PostgreSQL URL"},
                    Refused{"app.db", "neither a PostgreSQL URL"},
                    Refused{"sqlite:///app.db",
                            "this is the source: target.url needs a PostgreSQL URL"},
                    Refused{"sqlite+aiosqlite:////data/app.db", "this is the source"},
                    Refused{"jdbc:sqlite:app.db", "this is the source"},
                    Refused{"mysql+pymysql://u:S3CR@h/db", "its scheme is mysql+pymysql"},
                    Refused{"https://u:S3CR@h/db", "its scheme is https"},
                    Refused{"u:S3CR://h", "neither a PostgreSQL URL"},
                    Refused{"postgresql://h/db?wrong=1", "unknown connection parameter wrong"},
                    Refused{"postgresql://u:S3CR@h/db?currentSchema=x",
                            "unknown connection parameter currentSchema"},
                    Refused{"postgresql://h/db?password=x&S3CR=y", "perhaps a part of a password"},
                    Refused{"postgresql://h/db?S3CR", "has no value"},
                    Refused{"postgresql://h/db?user=a=S3CR", "libpq cannot read it"},
                    Refused{"postgresql://h/db?host=a&host=b", "host is given twice"},
                    Refused{"postgresql://h/db?ssl=S3CR", "parameter ssl"},
                    Refused{"postgresql://u:S3CR@S3CR@h/db", "more than one @"},
                    Refused{"postgresql://u:S3CR/S3CR@h/db", "an @ after a /"},
                    Refused{"postgresql://u:S3CR%zz@h/db", "a % without two digits"},
                    Refused{"postgresql://u:S3CR%0@h/db", "a % without two digits"},
                    Refused{"postgresql://u:S3CR/x", "the port is not a number"},
                    Refused{"postgresql://h:65536/x", "the port is not a number"},
                    Refused{"postgresql://[::1/db", "libpq cannot read it"},
                    Refused{"host=h pasword=S3CR", "unknown connection parameter pasword"},
                    Refused{"host=h password=a S3CR=b", "perhaps a part of a password"},
                    Refused{"host=h password=a S3CR", "a keyword without value"},
                    Refused{"host=h password='S3CR", "a quote that is not closed"},
                    Refused{"host=h port=S3CR", "the port is not a number"}));

std::string RandomText(std::mt19937_64& random, std::string_view alphabet, std::size_t most) {
  std::string text;
  for (std::size_t n = random() % (most + 1); n > 0; --n)
    text += alphabet[random() % alphabet.size()];
  return text;
}

TEST(AnyUrl, NeverShowsThePasswordHoweverMangled) {
  constexpr std::string_view kSpecial = "@/:?&=%#[] '\\\"$,+;ab01";
  constexpr std::string_view kSecret = "zXqSecretqXz";
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string password =
        RandomText(random, kSpecial, 4) + std::string(kSecret) + RandomText(random, kSpecial, 4);
    const std::string url[] = {
        "postgresql://app:" + password + "@h:5432/db?sslmode=require",
        "postgres://app:" + password + "@h",
        "postgresql://h/db?user=a&password=" + password,
        "postgresql+asyncpg://h/db?sslpassword=" + password + "&ssl=true",
        "host=h password=" + password + " dbname=d",
        "host=h password='" + password + "' dbname=d",
        "jdbc:postgresql://h/d?password=" + password,
    };
    const std::string& text = url[random() % std::size(url)];
    EXPECT_THAT(RedactUrl(text), Not(HasSubstr(kSecret))) << "seed " << seed << ": " << text;
    EXPECT_THAT(DisplayUrl(text), Not(HasSubstr(kSecret))) << "seed " << seed << ": " << text;
    EXPECT_THAT(NormalizeTargetUrl(text).problem, Not(HasSubstr(kSecret)))
        << "seed " << seed << ": " << text;
  }
}

TEST(AnyUrl, KnowsAPostgresSchemeOnly) {
  for (const char* url :
       {"postgres://x", "postgresql://", "PostgreSQL+asyncpg://x", "jdbc:postgresql://h/d"}) {
    EXPECT_TRUE(IsPostgresUrl(url)) << url;
  }
  for (const char* url :
       {"", "sqlite:///x", "postgresqlx://h", "mysql://h", "host=h", "postgresql:/h"}) {
    EXPECT_FALSE(IsPostgresUrl(url)) << url;
  }
}

class UrlFile : public testing::Test {
 protected:
  void SetUp() override { settings_.target.url_file = path_; }
  void TearDown() override { std::remove(path_.c_str()); }
  void Write(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }

  const std::string path_ = testing::TempDir() + "liteferry_url_" + std::to_string(::getpid()) +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  Settings settings_;
  std::string problem_;
};

TEST_F(UrlFile, GivesItsFirstLineNormalised) {
  Write("postgres://app:pw@h/db \r\nsecond line\n");
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), "postgresql://app:pw@h/db");
  EXPECT_THAT(problem_, IsEmpty());
}

TEST_F(UrlFile, IsReadAgainAtEachCall) {
  Write("postgresql://app:old@h/db");
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), "postgresql://app:old@h/db");
  Write("postgresql://app:new@h/db");
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), "postgresql://app:new@h/db");
}

TEST_F(UrlFile, NamesTheFileButNotItsContent) {
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), std::nullopt);
  EXPECT_THAT(problem_, HasSubstr(path_ + ": No such file"));
  for (const char* content :
       {"", "\n", "  \nx", "S3CR", "mysql://u:S3CR@h/db", "postgresql://u:S3CR%@h"}) {
    Write(content);
    EXPECT_EQ(ReadTargetUrl(settings_, problem_), std::nullopt) << content;
    EXPECT_THAT(problem_, HasSubstr(path_));
    EXPECT_THAT(problem_, Not(HasSubstr("S3CR")));
  }
  settings_.target.url_file = testing::TempDir();
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), std::nullopt);
  EXPECT_THAT(problem_, HasSubstr("Is a directory"));
}

TEST_F(UrlFile, IsNotReadWhenTheUrlIsGiven) {
  settings_.target.url = "postgresql+psycopg2://app@h/db";
  EXPECT_EQ(ReadTargetUrl(settings_, problem_), "postgresql://app@h/db");
}

TEST(ReadTargetUrl, SaysWhenThereIsNone) {
  std::string problem;
  EXPECT_EQ(ReadTargetUrl(Settings{}, problem), std::nullopt);
  EXPECT_THAT(problem, HasSubstr("target.url"));
}

}  // namespace
}  // namespace liteferry::config
