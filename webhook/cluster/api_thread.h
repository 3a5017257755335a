// The one thread on which a program talks to the API server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "webhook/cluster/api.h"
#include "webhook/cluster/supervisor.h"

namespace plimsoll::webhook::cluster {

// Tasks are added before start(), and refer to what outlives this.
class ApiThread {
 public:
  ApiThread(std::unique_ptr<AccessSource> access, ApiOptions options, telemetry::Log& log);
  ApiThread(const ApiThread&) = delete;
  ApiThread& operator=(const ApiThread&) = delete;
  ~ApiThread();

  Api& api() { return api_; }
  const Api& api() const { return api_; }

  boost::asio::any_io_executor executor() { return io_.get_executor(); }

  // May be called from any thread, also while it runs.
  void add(std::string name, Task task) { supervise(io_, log_, std::move(name), std::move(task)); }
  void post(std::function<void()> work);
  void start();
  // Ends the thread; tasks stay where they are, and nothing of them runs any more.
  void stop();

 private:
  telemetry::Log& log_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  Api api_;
  std::thread thread_;
};

}  // namespace plimsoll::webhook::cluster
