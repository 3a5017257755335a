// Keeps somebody informed of all objects of a collection: a list, then a watch, for ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "webhook/cluster/backoff.h"
#include "webhook/cluster/event_stream.h"
#include "webhook/telemetry/log.h"

namespace plimsoll::webhook::cluster {

// Tells a kind whose definition has been removed from a server that is starting and does not know
// it yet: by how many lists in a row were answered 404, and for how long.
class Absence {
 public:
  static constexpr unsigned kLists = 3;

  explicit Absence(std::chrono::milliseconds time) : time_(time) {}

  // The HTTP status that a list was answered with; 0: none. True: the kind is gone.
  bool note(unsigned status, net::Clock::time_point now);

 private:
  std::chrono::milliseconds time_;
  unsigned lists_ = 0;
  net::Clock::time_point since_;
};

// Called on the API's thread. Objects live until the call returns.
class Observer {
 public:
  virtual ~Observer() = default;

  // A list begins: objects that are not put before listed() are no longer there.
  virtual void begin() = 0;
  virtual void put(const policy::json::Object& object) = 0;
  // Instead, where some of it cannot be read: `object` is the rest, with its metadata.
  virtual void put_part(const policy::json::Object& object, const std::string& /*trouble*/) {
    put(object);
  }
  virtual void removed(const policy::json::Object& object) = 0;
  // The list is complete.
  virtual void listed() = 0;
};

// Counted since the start.
struct ReflectorCounters {
  std::atomic<std::uint64_t> lists{0};
  std::atomic<std::uint64_t> watches{0};
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> failures{0};
};

// `run` is called once, on the API's thread; the rest may be called from any. What is passed by
// reference outlives it.
class Reflector {
 public:
  Reflector(
      Api& api, Collection collection, WatchTimes times, Observer& observer, telemetry::Log& log)
      : api_(api),
        collection_(std::move(collection)),
        times_(times),
        observer_(observer),
        log_(log) {}

  boost::asio::awaitable<void> run();

  // The first list has been complete: what the observer knows was true once.
  bool synced() const { return synced_; }
  // Why what it knows may be old; empty: all is well.
  std::string trouble() const;
  const std::string& what() const { return collection_.what; }
  const ReflectorCounters& counters() const { return counters_; }

 private:
  boost::asio::awaitable<std::expected<void, ApiError>> list_all(std::string& resource_version);
  boost::asio::awaitable<std::chrono::milliseconds> follow(std::string& resource_version);
  static std::chrono::milliseconds wait_after(const ApiError& error, Backoff& backoff);
  void put(const policy::json::Object& object, const std::string& trouble);
  void note_list(unsigned status);
  void fail(const char* verb, const ApiError& error);
  void recover();

  Api& api_;
  Collection collection_;
  WatchTimes times_;
  Observer& observer_;
  telemetry::Log& log_;
  ReflectorCounters counters_;
  std::atomic<bool> synced_{false};
  Absence absence_{times_.missing};
  mutable std::mutex mutex_;
  std::string trouble_;
};

}  // namespace plimsoll::webhook::cluster
