// The part of `plimsoll serve` that follows a cluster: policies, namespaces, pull secrets.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "webhook/admission/circumstances.h"
#include "webhook/cli/serve_options.h"
#include "webhook/policy_sources/policies_in_force.h"
#include "webhook/telemetry/metrics.h"

namespace plimsoll::webhook::cli {

class ServeCluster {
 public:
  // What is passed by reference outlives it.
  ServeCluster(const ServeOptions& options,
               std::unique_ptr<cluster::AccessSource> access,
               policy_sources::PoliciesInForce& in_force,
               telemetry::Log& log);
  ServeCluster(const ServeCluster&) = delete;
  ServeCluster& operator=(const ServeCluster&) = delete;
  ~ServeCluster() { thread_.stop(); }

  // From now on policies may be published.
  void start() { thread_.start(); }

  admission::ClusterSources sources();
  // Enough is known to judge by: policies of the cluster are in force, or it has told none for
  // long.
  bool settled() const;
  // Lines for the body of /readyz.
  std::string readiness() const;
  void watch(telemetry::Metrics& metrics) const;

 private:
  void publish(std::shared_ptr<const policy::PolicySet> policies);

  policy_sources::PoliciesInForce& in_force_;
  telemetry::Log& log_;
  cluster::ApiThread thread_;
  // Its tasks refer to these, but run no more when they go; their timers are the thread's.
  std::optional<policy_sources::ClusterPolicies> policies_;
  std::optional<facts::PullSecrets> pull_secrets_;
  net::Clock::time_point began_ = net::Clock::now();
};

}  // namespace plimsoll::webhook::cli
