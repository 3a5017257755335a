// Background tasks that never end by an exception: it is logged, and the task begins anew.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "webhook/telemetry/log.h"

namespace plimsoll::webhook::cluster {

using Task = std::function<boost::asio::awaitable<void>()>;

// Runs `task` on `io` for as long as that runs. A task that returns has ended. `log` outlives
// `io`'s run, and so does what the task refers to.
void supervise(boost::asio::io_context& io, telemetry::Log& log, std::string name, Task task);

// Waits; never fails.
boost::asio::awaitable<void> pause(std::chrono::milliseconds time);

}  // namespace plimsoll::webhook::cluster
