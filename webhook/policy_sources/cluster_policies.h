// Policies, exceptions and namespaces of a cluster, followed by watches: what a serving replica
// needs to know, in force within moments after it changes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "webhook/cluster/api_thread.h"
#include "webhook/cluster/flights.h"
#include "webhook/cluster/nudge.h"
#include "webhook/policy_sources/namespaces.h"
#include "webhook/policy_sources/policy_objects.h"

namespace plimsoll::webhook::policy_sources {

// At the same time; further ones are not known, because too much is asked.
inline constexpr std::size_t kMaxNamespacesAsked = 64;

// Outlives the thread that it adds its tasks to. `publish` is called on that thread, with nullptr
// where the cluster has no policy that could be in force.
class ClusterPolicies {
 public:
  using Publish = std::function<void(std::shared_ptr<const policy::PolicySet>)>;

  ClusterPolicies(cluster::ApiThread& thread,
                  cluster::WatchTimes times,
                  Publish publish,
                  telemetry::Log& log);
  ClusterPolicies(const ClusterPolicies&) = delete;
  ClusterPolicies& operator=(const ClusterPolicies&) = delete;

  // Everything has been listed once.
  bool synced() const;
  // All that was listed has been put into force, too.
  bool in_force() const { return synced() && published_once_; }
  // Why what is known may be old, one line each; empty: all is well.
  std::vector<std::string> trouble() const;
  // Policies whose newest document is refused.
  std::size_t refused() const { return refused_; }
  const Namespaces& namespaces() const { return namespaces_; }

  // `ready` is called on the API's thread, when the namespace is known or it cannot be; at once
  // where too many are asked for already.
  void ask_namespace(std::string name, net::Deadline deadline, std::function<void()> ready);

  struct Counters {
    std::uint64_t lists = 0;
    std::uint64_t watches = 0;
    std::uint64_t events = 0;
    std::uint64_t failures = 0;
  };
  Counters counters() const;

 private:
  boost::asio::awaitable<void> publish_changes();
  boost::asio::awaitable<void> ask(std::string name, net::Deadline deadline);
  void tell_refusals();

  cluster::ApiThread& thread_;
  Publish publish_;
  telemetry::Log& log_;
  PolicyObjects policies_;
  ExceptionObjects exceptions_;
  Namespaces namespaces_;
  cluster::Reflector policy_reflector_;
  cluster::Reflector exception_reflector_;
  cluster::Reflector namespace_reflector_;
  cluster::Nudge changed_;
  cluster::Flights flights_{kMaxNamespacesAsked};
  std::string published_;  // the revision
  std::atomic<bool> published_once_{false};
  std::map<std::string, std::string> told_;  // refusals by policy
  std::atomic<std::size_t> refused_{0};
};

}  // namespace plimsoll::webhook::policy_sources
