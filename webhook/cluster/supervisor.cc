#include "webhook/cluster/supervisor.h"

#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "policy/printable.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kBeginAgainAfter{5};

// One of the places where exceptions end. The name of the exception's kind is all that is told:
// its text may hold anything.
void tell(telemetry::Log& log, const std::string& name, const std::exception_ptr& failure) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    what = "out of memory";
  } catch (const std::exception& error) {
    what = policy::printable(error.what(), 200);
  }
  log.write_limited(telemetry::LogLevel::kError, "task failed", {{"task", name}, {"why", what}});
}

}  // namespace

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, time);
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await timer.async_wait(token);
}

void supervise(asio::io_context& io, telemetry::Log& log, std::string name, Task task) {
  const auto kept = std::make_shared<const Task>(std::move(task));  // stays where it is
  auto coroutine = (*kept)();
  auto ended = [&io, &log, name = std::move(name), kept](const std::exception_ptr& failure) {
    if (!failure) return;
    tell(log, name, failure);
    const auto timer = std::make_shared<asio::steady_timer>(io, kBeginAgainAfter);
    timer->async_wait([timer, &io, &log, name, kept](const boost::system::error_code& error) {
      if (!error) supervise(io, log, name, *kept);
    });
  };
  asio::co_spawn(io, std::move(coroutine), std::move(ended));
}

}  // namespace plimsoll::webhook::cluster
