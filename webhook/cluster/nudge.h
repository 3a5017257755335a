// Lets a task sleep until there is something to do.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace plimsoll::webhook::cluster {

// One task waits; everything happens on the thread of the io_context.
class Nudge {
 public:
  explicit Nudge(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  // Also counts where nobody waits yet.
  void give() {
    given_ = true;
    timer_.cancel();
  }
  // Until it is given, or for `longest`.
  boost::asio::awaitable<void> wait(std::chrono::milliseconds longest);

 private:
  boost::asio::steady_timer timer_;
  bool given_ = false;
};

}  // namespace plimsoll::webhook::cluster
