// How often and how many at once a server is asked, and when it is left alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "policy/unknown.h"
#include "webhook/net/fetch.h"

namespace plimsoll::webhook::registry {

struct GovernorOptions {
  double requests_per_second = 20;  // of one server, after the burst
  double burst = 40;
  std::size_t at_once = 8;  // of one server
  std::size_t at_once_in_all = 64;
  unsigned failures_to_open = 5;  // in a row: the circuit breaker opens
  std::chrono::seconds open_for{15};
  std::chrono::seconds open_at_most{120};  // doubled with each failing probe
  std::chrono::seconds most_rate_pause{60};
};

// Used on one thread.
class HostGovernor {
 public:
  HostGovernor(boost::asio::io_context& io, GovernorOptions options);

  // Waits for a turn, at most until the deadline. kBreakerOpen, kRateLimited, kOverloaded.
  // What is entered must be left.
  boost::asio::awaitable<policy::Fact<void>> enter(std::string host, net::Deadline deadline);
  enum class Outcome : std::uint8_t {
    kAnswered,   // with whatever status a living server gives
    kFailed,     // an outage
    kAbandoned,  // the caller's own time was over: says little about the server
  };
  void leave(const std::string& host, Outcome outcome);
  // The server said 429: nobody asks it for so long.
  void pause(const std::string& host, std::chrono::seconds time);

  // Servers that are left alone at present.
  std::size_t open_breakers() const;

 private:
  static constexpr std::size_t kMaxHosts = 4'096;

  struct Host {
    std::size_t busy = 0;
    double tokens = 0;
    net::Clock::time_point filled;
    unsigned failures = 0;
    bool probing = false;
    std::chrono::seconds open_for{0};  // 0: closed
    net::Clock::time_point open_until;
    net::Clock::time_point paused_until;
  };

  Host& host_of(const std::string& name);
  void forget_idle_hosts();
  void fill(Host& host) const;

  boost::asio::io_context& io_;
  GovernorOptions options_;
  std::map<std::string, Host> hosts_;
  std::size_t busy_ = 0;
  std::list<boost::asio::steady_timer*> waiting_;  // for somebody to leave
};

}  // namespace plimsoll::webhook::registry
