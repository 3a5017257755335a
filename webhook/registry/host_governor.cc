#include "webhook/registry/host_governor.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace plimsoll::webhook::registry {
namespace {

namespace asio = boost::asio;
using net::Clock;
using policy::Fact;
using policy::Unknown;
using policy::UnknownReason;

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail) {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

std::string seconds_left(Clock::time_point until, Clock::time_point now) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(until - now).count();
  return "for another " + std::to_string(left) + " s";
}

}  // namespace

HostGovernor::HostGovernor(asio::io_context& io, GovernorOptions options)
    : io_(io), options_(options) {}

void HostGovernor::forget_idle_hosts() {
  const Clock::time_point now = Clock::now();
  std::erase_if(hosts_, [now](const auto& entry) {
    const Host& host = entry.second;
    return host.busy == 0 && host.open_until < now && host.paused_until < now;
  });
}

HostGovernor::Host& HostGovernor::host_of(const std::string& name) {
  const auto known = hosts_.find(name);
  if (known != hosts_.end()) return known->second;
  if (hosts_.size() >= kMaxHosts) forget_idle_hosts();
  Host& host = hosts_[name];
  host.tokens = options_.burst;
  host.filled = Clock::now();
  return host;
}

void HostGovernor::fill(Host& host) const {
  const Clock::time_point now = Clock::now();
  const double passed = std::chrono::duration<double>(now - host.filled).count();
  host.tokens = std::min(options_.burst, host.tokens + passed * options_.requests_per_second);
  host.filled = now;
}

asio::awaitable<Fact<void>> HostGovernor::enter(std::string name, net::Deadline deadline) {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (true) {
    Host& host = host_of(name);
    const Clock::time_point now = Clock::now();
    if (host.paused_until > now) {
      co_return refused(UnknownReason::kRateLimited, seconds_left(host.paused_until, now));
    }
    if (host.open_for.count() > 0 && (host.open_until > now || host.probing)) {
      const auto until = std::max(host.open_until, now + std::chrono::seconds(1));
      co_return refused(UnknownReason::kBreakerOpen, seconds_left(until, now));
    }
    fill(host);
    const bool room = host.busy < options_.at_once && busy_ < options_.at_once_in_all;
    if (room && host.tokens >= 1) {
      host.probing = host.open_for.count() > 0;
      host.tokens -= 1;
      ++host.busy;
      ++busy_;
      co_return Fact<void>();
    }
    if (deadline.passed()) {
      co_return refused(UnknownReason::kOverloaded, "no turn in time");
    }
    asio::steady_timer wake(io_);
    const auto pause = std::chrono::duration<double>(
        room ? (1 - host.tokens) / options_.requests_per_second : 3'600);
    const auto until = now + std::chrono::ceil<std::chrono::milliseconds>(pause);
    wake.expires_at(std::min(deadline.at, until));
    const auto place = waiting_.insert(waiting_.end(), &wake);
    co_await wake.async_wait(token);
    waiting_.erase(place);
  }
}

void HostGovernor::leave(const std::string& name, Outcome outcome) {
  Host& host = host_of(name);
  --host.busy;
  --busy_;
  const bool probe = std::exchange(host.probing, false);
  if (outcome == Outcome::kAnswered) {
    host.failures = 0;
    host.open_for = std::chrono::seconds(0);
  } else if (outcome == Outcome::kFailed) {
    ++host.failures;
    if (probe || (host.open_for.count() == 0 && host.failures >= options_.failures_to_open)) {
      host.open_for =
          probe ? std::min(2 * host.open_for, options_.open_at_most) : options_.open_for;
      host.open_until = Clock::now() + host.open_for;
    }
  }
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

void HostGovernor::pause(const std::string& name, std::chrono::seconds time) {
  Host& host = host_of(name);
  host.paused_until = Clock::now() + std::min(time, options_.most_rate_pause);
}

std::size_t HostGovernor::open_breakers() const {
  const Clock::time_point now = Clock::now();
  const auto open = [now](const auto& entry) {
    return entry.second.open_for.count() > 0 && entry.second.open_until > now;
  };
  return static_cast<std::size_t>(std::ranges::count_if(hosts_, open));
}

}  // namespace plimsoll::webhook::registry
