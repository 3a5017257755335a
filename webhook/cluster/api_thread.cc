#include "webhook/cluster/api_thread.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace plimsoll::webhook::cluster {

ApiThread::ApiThread(std::unique_ptr<AccessSource> access, ApiOptions options, telemetry::Log& log)
    : log_(log), api_(io_, std::move(access), std::move(options)) {}

ApiThread::~ApiThread() {
  stop();
}

void ApiThread::post(std::function<void()> work) {
  boost::asio::post(io_, std::move(work));
}

void ApiThread::start() {
  thread_ = std::thread([this] { io_.run(); });
}

void ApiThread::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace plimsoll::webhook::cluster
