#include "replication/cutover/webhook.h"

#include <gtest/gtest.h>

namespace liteferry::cutover {
namespace {

TEST(WebhookTest, IsAUrlOfTwoKindsAndNothingElse) {
  EXPECT_TRUE(IsWebhook("http://127.0.0.1:1/x"));
  EXPECT_TRUE(IsWebhook("https://deploy.example/hooks/1"));
  EXPECT_FALSE(IsWebhook("curl https://deploy.example/hooks/1"));
  EXPECT_FALSE(IsWebhook("ftp://deploy.example/"));
  EXPECT_FALSE(IsWebhook(""));
}

TEST(WebhookTest, AUrlThatCannotBeReadIsToldWithoutItsText) {
  const SignalEvent stop;
  EXPECT_EQ(PostWebhook("http://[geheim", {}, stop), "it is not a URL");
}

// It would otherwise be asked for a minute.
TEST(WebhookTest, AStopEndsItAndItsUrlStaysSecret) {
  SignalEvent stop;
  stop.Set();
  const std::string problem = PostWebhook("http://u:geheim@127.0.0.1:1/geheim", {}, stop);
  EXPECT_TRUE(problem.starts_with("127.0.0.1: ")) << problem;
  EXPECT_EQ(problem.find("geheim"), std::string::npos) << problem;
}

}  // namespace
}  // namespace liteferry::cutover
