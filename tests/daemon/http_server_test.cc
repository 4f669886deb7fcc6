#include "daemon/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>

#include <nlohmann/json.hpp>

#include "replication/base/error.h"
#include "tests/daemon/support.h"

namespace liteferry::daemon {
namespace {

struct Reply {
  int status = 0;
  std::string header;
  std::string body;
};

// One reply of the stream; what follows it stays in `text`.
Reply TakeReply(std::string& text, bool head = false) {
  Reply reply;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return reply;
  reply.header = text.substr(0, end + 2);
  reply.status = std::stoi(reply.header.substr(9));
  const std::size_t at = reply.header.find("Content-Length: ");
  const std::size_t length =
      head || at == std::string::npos ? 0 : std::stoul(reply.header.substr(at + 16));
  reply.body = text.substr(end + 4, length);
  text.erase(0, end + 4 + length);
  return reply;
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    server_ = loop_.On([&] {
      return std::make_unique<HttpServer>(
          loop_.io(), "127.0.0.1:0",
          HttpHandlers{[this] { return report_; }, [] { return std::string("up 1\n"); },
                       [this](bool transient) { failures_.push_back(transient); }});
    });
  }
  ~HttpServerTest() override {
    loop_.On([&] { server_.reset(); });
  }

  UniqueFd Connect() const {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  std::string Exchange(const std::string& request) const {
    const UniqueFd fd = Connect();
    SendAll(fd.get(), request);
    return ReceiveAll(fd.get());
  }
  Reply Request(const std::string& method, const std::string& target) const {
    std::string text =
        Exchange(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return TakeReply(text);
  }
  Reply Get(const std::string& target) const { return Request("GET", target); }
  void Set(const StatusReport& report) {
    loop_.On([&] { report_ = report; });
  }

  StatusReport report_ = FollowingReport();
  std::vector<bool> failures_;  // whether transient; the loop's
  LoopThread loop_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesEveryPage) {
  EXPECT_EQ(Get("/livez").body, "ok\n");
  const Reply metrics = Get("/metrics?x=1");
  EXPECT_EQ(metrics.body, "up 1\n");
  EXPECT_NE(metrics.header.find("text/plain; version=0.0.4"), std::string::npos);
  const Reply status = Get("/status");
  EXPECT_EQ(nlohmann::json::parse(status.body)["state"], "following");
  EXPECT_NE(status.header.find("application/json"), std::string::npos);
  const Reply page = Get("/");
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
  EXPECT_NE(page.header.find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.header.find("unsafe"), std::string::npos);
}

TEST_F(HttpServerTest, ThePageLoadsNothingFromElsewhere) {
  const std::string page = Get("/").body;
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("innerHTML"), std::string::npos);
}

TEST_F(HttpServerTest, IsReadyOnlyWhenFollowingAndConsistent) {
  EXPECT_EQ(Get("/readyz").status, 200);
  StatusReport report = FollowingReport();
  report.status.consistent = false;
  Set(report);
  EXPECT_EQ(Get("/readyz").status, 503);
  report.status.consistent = true;
  for (const State state : {State::kStarting, State::kCopying, State::kCatchingUp, State::kRetrying,
                            State::kPaused, State::kHalted}) {
    report.status.state = state;
    report.status.reason = "the reason";
    Set(report);
    const Reply reply = Get("/readyz");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.body, std::string(ToString(state)) + ": the reason\n");
    EXPECT_EQ(Get("/livez").status, 200);
  }
}

TEST_F(HttpServerTest, HeadHasTheHeaderOfGetAndNoBody) {
  std::string text = Exchange("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const Reply head = TakeReply(text, true);
  EXPECT_EQ(text, "");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header, Get("/livez").header);
}

TEST_F(HttpServerTest, OtherPathsAndMethodsAreRefused) {
  EXPECT_EQ(Get("/nothing").status, 404);
  EXPECT_EQ(Get("/livez/").status, 404);
  EXPECT_EQ(Get("/../etc/passwd").status, 404);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const Reply reply = Request(method, "/status");
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_NE(reply.header.find("Allow: GET, HEAD"), std::string::npos);
  }
}

TEST_F(HttpServerTest, NonsenseIsABadRequest) {
  for (const char* request :
       {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\x16\x03\x01\x02\x01 tls?\r\n\r\n"}) {
    std::string text = Exchange(request);
    EXPECT_EQ(TakeReply(text).status, 400) << request;
  }
}

TEST_F(HttpServerTest, LongHeadersAndBodiesAreRefused) {
  std::string text = Exchange("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_EQ(TakeReply(text).status, 431);
  text = Exchange("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(TakeReply(text).status, 413);
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(HttpServerTest, KeepsTheConnectionForMoreRequests) {
  const UniqueFd fd = Connect();
  std::string text;
  for (int i = 0; i < 3; ++i) {
    SendAll(fd.get(), "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    text += ReceiveUntil(fd.get(), [](const std::string& got) { return got.ends_with("ok\n"); });
    EXPECT_EQ(TakeReply(text).status, 200);
  }
}

TEST_F(HttpServerTest, AnswersRequestsSentAhead) {
  const std::string request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string text =
      Exchange(request + request + "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(TakeReply(text).body, "ok\n");
  EXPECT_EQ(TakeReply(text).body, "ok\n");
  EXPECT_EQ(TakeReply(text).body, "up 1\n");
}

TEST_F(HttpServerTest, ConnectionsBeyondTheCapAreClosedAndRoomComesBack) {
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 32; ++i) {
    idle.push_back(Connect());
    SendAll(idle.back().get(), "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_NE(ReceiveUntil(idle.back().get(),
                           [](const std::string& got) { return got.ends_with("ok\n"); }),
              "");
  }
  EXPECT_EQ(ReceiveAll(Connect().get()), "");
  EXPECT_EQ(loop_.On([&] { return failures_; }), std::vector<bool>{true});
  idle.clear();
  const Deadline deadline = Deadline::In(kTestPatience);
  int status = 0;
  while (status != 200 && !deadline.Passed()) status = Get("/livez").status;
  EXPECT_EQ(status, 200);
}

TEST_F(HttpServerTest, ATakenPortIsAClearError) {
  try {
    loop_.On([&] {
      HttpServer(loop_.io(), "127.0.0.1:" + std::to_string(server_->port()), HttpHandlers());
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kIo);
    EXPECT_NE(error.message().find(std::to_string(server_->port())), std::string::npos);
    EXPECT_NE(error.hint().find("http.listen"), std::string::npos);
  }
}

TEST_F(HttpServerTest, AddressesOfEveryFormAreTaken) {
  for (const char* listen : {":0", "localhost:0", "0.0.0.0:0"}) {
    EXPECT_NE(loop_.On([&] { return HttpServer(loop_.io(), listen, HttpHandlers()).port(); }), 0)
        << listen;
  }
  for (const char* listen : {"", "nonsense", "host:port", "127.0.0.1:70000", "127.0.0.1:1x"}) {
    EXPECT_THROW(loop_.On([&] { HttpServer(loop_.io(), listen, HttpHandlers()); }), Error)
        << listen;
  }
}

TEST(HttpRoutesTest, AFaultInAPageIsA500) {
  std::vector<bool> failures;
  const HttpHandlers handlers = {[]() -> StatusReport { throw std::runtime_error("secret"); },
                                 []() -> std::string { throw std::runtime_error("secret"); },
                                 [&](bool transient) { failures.push_back(transient); }};
  const HttpReply reply = RouteHttp("GET", "/status", handlers);
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(failures, std::vector<bool>{false});
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  EXPECT_EQ(RouteHttp("GET", "/livez", handlers).status, 200);
}

}  // namespace
}  // namespace liteferry::daemon
