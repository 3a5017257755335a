#include "webhook/cluster/api.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "webhook/cluster/supervisor.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;

constexpr unsigned kMostRepetitions = 5;
constexpr std::chrono::seconds kLongestPause{60};

net::HttpClientOptions http_options(const std::string& user_agent) {
  net::HttpClientOptions options;
  options.user_agent = user_agent;
  options.first_byte = std::chrono::seconds(60);  // the request's own time ends it sooner
  options.max_idle = 8;
  return options;
}

// Whole seconds only; a date or a fraction is no reason to wait.
std::optional<std::chrono::seconds> retry_after(const net::FetchAnswer& answer) {
  const std::string_view text = answer.header("retry-after");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(1), kLongestPause);
}

ApiError no_turn() {
  ApiError error;
  error.reason = kNoTurn;
  error.message = "too much else is asked: there was no turn in time";
  return error;
}

}  // namespace

Api::Api(asio::io_context& io, std::unique_ptr<AccessSource> access, ApiOptions options)
    : access_(std::move(access)),
      options_(std::move(options)),
      // Proxies of the environment are for registries: this server is named in the configuration.
      http_(io, http_options(options_.user_agent), net::ProxySettings()),
      turns_(options_.requests_per_second, options_.burst, net::Clock::now()),
      review_turns_(options_.review_requests_per_second, options_.review_burst, net::Clock::now()) {
}

// False: it would come too late, and was not taken.
asio::awaitable<bool> Api::take_turn(bool for_review, net::Deadline deadline) {
  Turns& turns = for_review ? review_turns_ : turns_;
  const auto wait = turns.take(net::Clock::now(), deadline);
  if (!wait) co_return false;
  if (wait->count() > 0) co_await pause(*wait);
  co_return true;
}

asio::awaitable<ApiResult> Api::attempt(ApiRequest request, net::Deadline deadline) {
  const std::shared_ptr<const Access> access = access_->current();
  net::FetchRequest fetch;
  fetch.method = request.method;
  fetch.repeatable = true;
  fetch.url = access->server;
  fetch.url.target += request.path;
  fetch.access = access->trust;
  fetch.headers.emplace_back("Accept", request.accept);
  if (!access->token.empty())
    fetch.headers.emplace_back("Authorization", "Bearer " + access->token);
  if (!request.body.empty()) fetch.headers.emplace_back("Content-Type", request.content_type);
  fetch.body = std::move(request.body);
  fetch.body_limit = request.body_limit;
  fetch.body_time = request.time;
  fetch.stall_time = request.stall;
  fetch.head_time = request.stall;
  fetch.sink = std::move(request.sink);
  fetch.opened = std::move(request.opened);
  fetch.deadline = deadline;
  ++counters_.requests;
  net::FetchResult answer = co_await http_.fetch(std::move(fetch));
  if (!answer) {
    ++counters_.failures;
    co_return std::unexpected(error_of(answer.error()));
  }
  if (answer->status >= 200 && answer->status < 300) {
    co_return ApiAnswer{answer->status, std::move(answer->body)};
  }
  ++counters_.failures;
  ApiError error = error_of(answer->status, answer->body);
  const auto header = retry_after(*answer);
  const std::string& trouble = access_->trouble();
  if (error.code == 401 && !trouble.empty()) error.message += " (" + trouble + ")";
  error.retry_after = header;  // what the body says is for the client's own caller
  co_return std::unexpected(std::move(error));
}

asio::awaitable<ApiResult> Api::call(ApiRequest request) {
  const bool streams = request.stall.count() > 0;
  const net::Deadline deadline = net::Deadline::in(request.time);
  bool distrusted = false;
  for (unsigned repetition = 0;; ++repetition) {
    const bool in_time = co_await take_turn(request.for_review, deadline);
    if (!in_time) co_return std::unexpected(no_turn());
    ApiResult result = co_await attempt(request, deadline);
    if (result || result.error().no_answer()) co_return result;
    const ApiError& error = result.error();
    if (error.code == 401 && !distrusted) {
      distrusted = true;
      access_->distrust();
      continue;
    }
    const bool busy = error.code == 429 || error.code >= 500;
    if (!busy || !error.retry_after || repetition >= kMostRepetitions || streams) co_return result;
    if (net::Clock::now() + *error.retry_after >= deadline.at) co_return result;
    const std::chrono::milliseconds wait = *error.retry_after;
    co_await pause(wait);
  }
}

}  // namespace plimsoll::webhook::cluster
