// Lets one coroutine at a time do a thing that others want done as well.
#pragma once

#include <list>
#include <map>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "webhook/net/fetch.h"

namespace plimsoll::webhook::facts {

// Used on one thread.
class Gate {
 public:
  explicit Gate(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // Waits while another is in, at most until the deadline. True: somebody else was in meanwhile and
  // has perhaps done it. Who has entered leaves.
  boost::asio::awaitable<bool> enter(std::string key, net::Deadline deadline) {
    bool waited = false;
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    while (waiting_.contains(key) && !deadline.passed()) {
      waited = true;
      boost::asio::steady_timer timer(executor_, deadline.at);
      auto& timers = waiting_[key];
      const auto place = timers.insert(timers.end(), &timer);
      co_await timer.async_wait(token);
      const auto still = waiting_.find(key);
      if (still != waiting_.end() && error != boost::asio::error::operation_aborted) {
        still->second.erase(place);
      }
    }
    waiting_.try_emplace(key);
    co_return waited;
  }

  void leave(const std::string& key) {
    const auto entry = waiting_.extract(key);
    if (entry.empty()) return;
    for (boost::asio::steady_timer* timer : entry.mapped()) timer->cancel();
  }

 private:
  boost::asio::any_io_executor executor_;
  std::map<std::string, std::list<boost::asio::steady_timer*>>
      waiting_;  // keys that somebody is in
};

}  // namespace plimsoll::webhook::facts
