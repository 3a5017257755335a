// Events about what the controller has done, for `kubectl describe` and `kubectl get events`.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "webhook/cluster/api.h"
#include "webhook/cluster/nudge.h"
#include "webhook/telemetry/log.h"

namespace plimsoll::webhook::controller {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string name_space;  // empty: cluster-wide; its events stand in namespace "default"
  std::string uid;
};

struct EventText {
  bool is_warning = false;
  std::string reason;  // "PolicyRefused"
  std::string action;  // "Validate"
  std::string note;    // cut to what the API server takes
};

// Used on the API's thread. Nobody waits for it: what is too much is dropped and counted, and the
// same event about the same object is told once in five minutes.
class EventRecorder {
 public:
  EventRecorder(cluster::Api& api,
                const boost::asio::any_io_executor& executor,
                std::string instance,
                telemetry::Log& log);

  void add(ObjectReference regarding, EventText text);
  boost::asio::awaitable<void> run();

  std::uint64_t written() const { return written_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kMaxQueue = 100;
  static constexpr std::size_t kMaxTold = 5'000;
  static constexpr std::chrono::minutes kTellAgain{5};

  struct Waiting {
    std::string key;
    ObjectReference regarding;
    EventText text;
  };
  boost::asio::awaitable<void> post(Waiting event);

  cluster::Api& api_;
  cluster::Nudge nudge_;
  std::string instance_;
  telemetry::Log& log_;
  std::deque<Waiting> queue_;
  std::map<std::string, std::chrono::steady_clock::time_point> told_;
  bool refused_ = false;  // we may not write events; said once
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace plimsoll::webhook::controller
