// Keeps the status of policies and exceptions true, and tells of refusals by Events.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "webhook/cluster/api_thread.h"
#include "webhook/cluster/nudge.h"
#include "webhook/controller/event_recorder.h"
#include "webhook/policy_sources/policy_objects.h"

namespace plimsoll::webhook::controller {

// Outlives the thread that it adds its tasks to. Writes only while `leads` says so.
class StatusWriter {
 public:
  StatusWriter(cluster::ApiThread& thread,
               cluster::WatchTimes times,
               std::function<bool()> leads,
               EventRecorder& events,
               telemetry::Log& log);
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;

  // Why statuses may be old, one line each.
  std::vector<std::string> trouble() const;
  std::uint64_t writes() const { return writes_; }
  std::size_t refused() const { return refused_; }

 private:
  struct Write {
    std::string path;
    std::string resource_version;
    std::string status;
    ObjectReference object;
    std::string refusal;
  };

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> write(Write write);
  std::vector<Write> due();

  cluster::ApiThread& thread_;
  std::function<bool()> leads_;
  EventRecorder& events_;
  telemetry::Log& log_;
  cluster::Nudge changed_;
  policy_sources::PolicyObjects policies_;
  policy_sources::ExceptionObjects exceptions_;
  cluster::Reflector policy_reflector_;
  cluster::Reflector exception_reflector_;
  std::string trouble_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::size_t> refused_{0};
};

}  // namespace plimsoll::webhook::controller
