#include "webhook/cluster/nudge.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace plimsoll::webhook::cluster {

boost::asio::awaitable<void> Nudge::wait(std::chrono::milliseconds longest) {
  boost::system::error_code error;
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
  if (!given_) {
    timer_.expires_after(longest);
    co_await timer_.async_wait(token);
  }
  given_ = false;
}

}  // namespace plimsoll::webhook::cluster
