#include "replication/cutover/webhook.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "replication/base/deadline.h"

namespace liteferry::cutover {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kPatience{1};
constexpr milliseconds kOneTry{10'000};
constexpr milliseconds kFirstRest{500};

struct CloseHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  void operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  void operator()(char* text) const noexcept { curl_free(text); }
};
template <typename T>
using Owned = std::unique_ptr<T, CloseHandle>;

struct Answer {
  std::string problem;  // "" when it was taken
  bool final = false;   // another try would end the same way
};

std::string Body(const HookFacts& facts) {
  const nlohmann::ordered_json json = {{"event", "cut_over"},
                                       {"source_path", facts.source_path},
                                       {"target", facts.target},
                                       {"position", facts.position},
                                       {"write_pause_seconds", facts.write_pause_seconds}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// "" when the URL is none.
std::string HostOf(const std::string& url) {
  const Owned<CURLU> parts(curl_url());
  char* host = nullptr;
  if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return "";
  }
  const Owned<char> owned(host);
  return host;
}

Answer Judge(CURLcode code, long status) {
  if (code != CURLE_OK) return {curl_easy_strerror(code), false};
  if (status >= 200 && status < 300) return {};
  const bool again = status >= 500 || status == 408 || status == 425 || status == 429;
  return {"it answered " + std::to_string(status), !again};
}

std::size_t Discard(char* /*data*/, std::size_t size, std::size_t count, void* /*unused*/) {
  return size * count;
}

int IsStopped(void* stop, curl_off_t /*all*/, curl_off_t /*done*/, curl_off_t /*all_up*/,
              curl_off_t /*done_up*/) {
  return static_cast<const SignalEvent*>(stop)->IsSet() ? 1 : 0;
}

Answer Post(const std::string& url, const std::string& body, const SignalEvent& stop) {
  const Owned<CURL> curl(curl_easy_init());
  const Owned<curl_slist> headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  if (!curl || !headers) return {"out of memory", true};
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "liteferry");
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(kOneTry.count()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Discard);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, IsStopped);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stop);
  const CURLcode code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return Judge(code, status);
}

}  // namespace

bool IsWebhook(std::string_view on_ready) {
  return on_ready.starts_with("http://") || on_ready.starts_with("https://");
}

std::string PostWebhook(const std::string& url, const HookFacts& facts, const SignalEvent& stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::string host = HostOf(url);
  if (host.empty()) return "it is not a URL";
  const std::string body = Body(facts);
  const Deadline deadline = Deadline::In(kPatience);
  milliseconds rest = kFirstRest;
  for (;;) {
    const Answer answer = Post(url, body, stop);
    if (answer.problem.empty()) return "";
    if (answer.final || stop.IsSet() || deadline.Remaining() < rest + kOneTry) {
      return host + ": " + answer.problem;
    }
    WaitFor(-1, 0, stop, nullptr, Deadline::In(rest));
    rest *= 2;
  }
}

}  // namespace liteferry::cutover
