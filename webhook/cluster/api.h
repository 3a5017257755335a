// Requests to the Kubernetes API server: who we are, how often, and what its answers mean.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "webhook/cluster/access.h"
#include "webhook/cluster/api_error.h"
#include "webhook/cluster/turns.h"
#include "webhook/net/http_client.h"

namespace plimsoll::webhook::cluster {

inline constexpr std::string_view kMergePatch = "application/merge-patch+json";
inline constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kNoTurn = "NoTurn";

struct ApiOptions {
  std::string user_agent = "plimsoll";
  double requests_per_second = 20;
  double burst = 40;
  // Beside these, for what reviews want to know: whoever posts them holds up nothing else.
  double review_requests_per_second = 10;
  double review_burst = 20;
};

struct ApiRequest {
  // A constant. Whatever it is, asking twice must do no harm: writes name the resourceVersion that
  // they change, or are server-side apply, or a create that finds AlreadyExists.
  std::string_view method = "GET";
  std::string path;  // and query: "/api/v1/namespaces?limit=500"
  std::string body = {};
  std::string_view content_type = kJson;
  std::string_view accept = kJson;
  net::BodySink sink = {};            // takes the body of a 200; else it is kept
  std::function<void()> opened = {};  // called before it, when the server has agreed
  std::uint64_t body_limit = 16u << 20U;
  std::chrono::milliseconds time{10'000};  // of all of it, repetitions included
  std::chrono::milliseconds stall{0};      // and no longer without a byte; 0: `time` holds alone
  bool for_review = false;                 // somebody else decides how often this is asked
};

struct ApiAnswer {
  unsigned status = 200;
  std::string body;
};
using ApiResult = std::expected<ApiAnswer, ApiError>;

// Counted since the start.
struct ApiCounters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> failures{0};  // no answer, or not 2xx
};

// Used on the thread of its io_context only; outlives its coroutines.
class Api {
 public:
  Api(boost::asio::io_context& io, std::unique_ptr<AccessSource> access, ApiOptions options);

  // 2xx is an answer, everything else an error. 401 is asked once more with credentials that were
  // read again; 429 and 5xx with Retry-After are asked again for as long as the time allows. What
  // would have its turn only after its time is not asked at all: `reason` is kNoTurn.
  boost::asio::awaitable<ApiResult> call(ApiRequest request);

  const ApiCounters& counters() const { return counters_; }
  std::string server() const { return access_->config().server.authority(); }
  const std::string& name_space() const { return access_->config().name_space; }

 private:
  boost::asio::awaitable<bool> take_turn(bool for_review, net::Deadline deadline);
  boost::asio::awaitable<ApiResult> attempt(ApiRequest request, net::Deadline deadline);

  std::unique_ptr<AccessSource> access_;
  ApiOptions options_;
  net::HttpClient http_;
  ApiCounters counters_;
  Turns turns_;
  Turns review_turns_;
};

}  // namespace plimsoll::webhook::cluster
