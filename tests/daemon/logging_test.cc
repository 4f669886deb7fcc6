#include "daemon/logging.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/terminal.h"
#include "replication/base/log.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

using nlohmann::json;

const auto kTime = At(1'800'000'000'123);

json Json(std::string_view message) { return json::parse(FormatLogJson(kTime, "info", message)); }

TEST(LoggingTest, JsonTakesTheEventAndThePairs) {
  EXPECT_EQ(Json("event=copy_started table=notes rows=5000 rate=1.5 reason=\"a \\\"b\\\" c\" done"),
            json::parse(R"({"ts":"2027-01-15T08:00:00.123Z","level":"info","event":"copy_started",
              "table":"notes","rows":5000,"rate":1.5,"reason":"a \"b\" c",
              "message":"table=notes rows=5000 rate=1.5 reason=\"a \\\"b\\\" c\" done"})"));
}

TEST(LoggingTest, JsonOfPlainTextIsAMessage) {
  const json line = Json("hello world a=1");
  EXPECT_EQ(line["event"], "message");
  EXPECT_EQ(line["message"], "hello world a=1");
  EXPECT_FALSE(line.contains("a"));
}

TEST(LoggingTest, PairsCannotReplaceTheFixedFields) {
  const json line = Json("event=x level=fatal ts=never message=no event=y");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["event"], "x");
  EXPECT_EQ(line["ts"], "2027-01-15T08:00:00.123Z");
  EXPECT_EQ(line["message"], "level=fatal ts=never message=no event=y");
}

TEST(LoggingTest, PairsEndAtTheFirstWordThatIsNone) {
  const json line = Json("event=x a=1 free text b=2");
  EXPECT_EQ(line["a"], 1);
  EXPECT_FALSE(line.contains("b"));
}

TEST(LoggingTest, QuotedNumbersStayText) {
  EXPECT_EQ(Json("event=x version=\"17\"")["version"], "17");
  EXPECT_EQ(Json("event=x n=inf m=nan k=1e999 h=0x1")["n"], "inf");
}

TEST(LoggingTest, AnyBytesGiveOneLineOfValidJson) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 5000; ++i) {
    const std::string message = (random() % 2 == 0 ? "event=x " : "") + HostileText(random, 60);
    const std::string line = FormatLogJson(kTime, "warn", message);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    ASSERT_TRUE(json::accept(line)) << line;
    EXPECT_EQ(json::parse(line)["level"], "warn");
  }
}

TEST(LoggingTest, TextIsOneLineWithoutControlCharacters) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 2000; ++i) {
    for (const char c : FormatLogText(kTime, "info", HostileText(random, 60))) {
      const auto byte = static_cast<unsigned char>(c);
      ASSERT_TRUE(byte >= 0x20 && byte != 0x7F);
    }
  }
  EXPECT_EQ(FormatLogText(kTime, "info", "event=copy_started table=notes"),
            "2027-01-15T08:00:00.123Z info  copy_started table=notes");
  EXPECT_EQ(FormatLogText(kTime, "error", "event=lost"), "2027-01-15T08:00:00.123Z error lost");
}

// What LogValue quotes comes back as it was, and leaves the next pair alone.
TEST(LoggingTest, LogValueSurvivesTheRoundTrip) {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 5000; ++i) {
    std::string value = HostileText(random, 20);
    for (char& c : value) c = static_cast<char>(static_cast<unsigned char>(c) & 0x7FU);
    const json line = Json("event=x value=" + LogValue(value) + " next=7");
    ASSERT_EQ(line["value"], value);
    ASSERT_EQ(line["next"], 7);
  }
}

class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    out_ = UniqueFd(ends[0]);
    in_ = UniqueFd(ends[1]);
  }
  int in() const { return in_.get(); }
  std::string Read() const {
    std::string text(65536, '\0');
    const ssize_t got = ::read(out_.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 private:
  UniqueFd out_;
  UniqueFd in_;
};

TEST(LoggingTest, AutoIsJsonOffATerminalAndTextOnIt) {
  for (const bool is_terminal : {false, true}) {
    Pipe pipe;
    Terminal terminal(pipe.in(), is_terminal);
    MakeLogger(terminal, config::LogLevel::kInfo, config::LogFormat::kAuto)
        ->info("event=hello n={}", 3);
    EXPECT_EQ(json::accept(pipe.Read()), !is_terminal);
  }
}

TEST(LoggingTest, LevelsBelowTheChosenOneAreNotWritten) {
  Pipe pipe;
  Terminal terminal(pipe.in(), false);
  const auto log = MakeLogger(terminal, config::LogLevel::kWarn, config::LogFormat::kText);
  log->info("event=quiet");
  log->warn("event=loud");
  const std::string text = pipe.Read();
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("warn  loud"), std::string::npos);
}

TEST(TerminalTest, StatusLineStaysBelowTheLines) {
  Pipe pipe;
  Terminal terminal(pipe.in(), true);
  terminal.SetStatus("50%");
  terminal.WriteLine("something happened");
  terminal.SetStatus("50%");
  EXPECT_EQ(pipe.Read(), "\r\x1b[K50%\r\x1b[Ksomething happened\n50%");
  terminal.SetStatus("");
  EXPECT_EQ(pipe.Read(), "\r\x1b[K");
}

TEST(TerminalTest, AFileSeesNoEscapes) {
  Pipe pipe;
  Terminal terminal(pipe.in(), false);
  terminal.SetStatus("50%");
  terminal.WriteLine("line");
  EXPECT_EQ(pipe.Read(), "line\n");
}

TEST(TerminalTest, CutsTheStatusAtTheWidthBetweenCharacters) {
  Pipe pipe;
  Terminal terminal(pipe.in(), true);
  std::string wide;
  for (int i = 0; i < 200; ++i) wide += "\xc3\xa9";
  terminal.SetStatus(wide);
  EXPECT_EQ(pipe.Read(), "\r\x1b[K" + wide.substr(0, 79 * 2));
}

}  // namespace
}  // namespace liteferry::daemon
