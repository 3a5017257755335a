// Leader election by a coordination.k8s.io Lease, as Kubernetes' own controllers do it.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "webhook/cluster/api.h"
#include "webhook/telemetry/log.h"

namespace plimsoll::webhook::cluster {

struct LeaseOptions {
  std::string name_space;
  std::string name;
  std::string identity;                            // of this process, and of no other
  std::chrono::milliseconds duration{15'000};      // after which others may take it
  std::chrono::milliseconds renew_within{10'000};  // or we stop leading
  std::chrono::milliseconds retry{2'000};
};

// `run` and `release` are called on the API's thread; `leads` from any.
class Lease {
 public:
  Lease(Api& api, LeaseOptions options, telemetry::Log& log);

  boost::asio::awaitable<void> run();
  // Lets the next one lead at once, where we led; from then on we never lead again.
  boost::asio::awaitable<void> release();

  // By a clock that counts sleep as well. Not a fence: it may end between this and a write, so
  // every write names the resourceVersion that it changes.
  bool leads() const;
  // Seen to lead, whenever that was.
  bool is_anothers() const { return is_anothers_; }
  // Of this process, counted.
  std::uint64_t terms() const { return terms_; }
  std::string trouble() const { return trouble_; }

 private:
  using Time = std::chrono::nanoseconds;  // since the machine started
  struct Record {
    std::string resource_version;
    std::string holder;
    std::string renewed;
    std::int64_t duration_seconds = 15;
    std::int64_t transitions = 0;
    std::string acquired;
    bool operator==(const Record&) const = default;
  };

  static std::optional<Record> read_record(const std::string& body);
  boost::asio::awaitable<void> step();
  boost::asio::awaitable<void> create();
  boost::asio::awaitable<void> take(Record seen);
  boost::asio::awaitable<bool> put(Record record, bool is_new);
  boost::asio::awaitable<bool> give_back();
  void won(Time asked);
  void lost(const char* why);
  void fail(const char* verb, const ApiError& error);
  std::string path() const;

  Api& api_;
  LeaseOptions options_;
  telemetry::Log& log_;
  Record observed_;
  Time observed_at_{0};
  std::atomic<Time::rep> leads_until_{0};
  std::atomic<std::uint64_t> terms_{0};
  std::atomic<bool> is_anothers_{false};
  bool told_leading_ = false;
  bool released_ = false;
  std::string trouble_;
};

// RFC 3339 with exactly six digits of a second, as the API server wants MicroTime.
std::string micro_time(std::chrono::system_clock::time_point time);

}  // namespace plimsoll::webhook::cluster
