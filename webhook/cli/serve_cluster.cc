#include "webhook/cli/serve_cluster.h"

#include <utility>

#include <fmt/format.h>

#include "webhook/cli/version.h"

namespace plimsoll::webhook::cli {
namespace {

using telemetry::LogLevel;
using telemetry::Metrics;

// After it a replica serves with its files although the API server has not answered.
constexpr std::chrono::seconds kSettleTime{10};

cluster::WatchTimes watch_times(const ServeOptions& options) {
  cluster::WatchTimes times;
  times.silence = options.watch_silence;
  return times;
}

}  // namespace

ServeCluster::ServeCluster(const ServeOptions& options,
                           std::unique_ptr<cluster::AccessSource> access,
                           policy_sources::PoliciesInForce& in_force,
                           telemetry::Log& log)
    : in_force_(in_force),
      log_(log),
      thread_(std::move(access),
              cluster::ApiOptions{.user_agent = "plimsoll-serve/" + std::string(version())},
              log) {
  const auto publish = [this](std::shared_ptr<const policy::PolicySet> policies) {
    this->publish(std::move(policies));
  };
  policies_.emplace(thread_, watch_times(options), publish, log);
  if (!options.pull_secret_namespaces.empty()) {
    pull_secrets_.emplace(thread_, options.pull_secret_namespaces, log);
  }
}

void ServeCluster::publish(std::shared_ptr<const policy::PolicySet> policies) {
  if (policies == nullptr) {
    in_force_.set_objects(nullptr);
    log_.write(LogLevel::kWarn, "no HygienePolicy in the cluster, files are in force", {});
    return;
  }
  log_.write(LogLevel::kInfo,
             "policies loaded",
             {{"source", "cluster"},
              {"policies", static_cast<std::int64_t>(policies->policies.size())},
              {"policyRevision", policies->revision}});
  in_force_.set_objects(std::move(policies));
}

admission::ClusterSources ServeCluster::sources() {
  return {&*policies_, pull_secrets_ ? &*pull_secrets_ : nullptr};
}

bool ServeCluster::settled() const {
  return policies_->in_force() || net::Clock::now() > began_ + kSettleTime;
}

std::string ServeCluster::readiness() const {
  std::string text =
      fmt::format("policies: from {}\n", in_force_.uses_objects() ? "the cluster" : "files");
  if (policies_->refused() > 0) {
    text += fmt::format("policies: {} refused, see the status of HygienePolicy objects\n",
                        policies_->refused());
  }
  if (!policies_->synced()) text += "cluster: not everything has been listed yet\n";
  for (const std::string& line : policies_->trouble()) text += "cluster: " + line + "\n";
  return text;
}

void ServeCluster::watch(Metrics& metrics) const {
  const auto watch = [this, &metrics](Metrics::Type type,
                                      const char* name,
                                      const char* help,
                                      double (*read)(const ServeCluster&)) {
    metrics.watch(type, name, help, [this, read] { return read(*this); });
  };
  using Self = const ServeCluster&;
  const auto gauge = Metrics::Type::kGauge;
  const auto counter = Metrics::Type::kCounter;
  watch(gauge, "cluster_synced", "1: everything that is watched has been listed.", [](Self self) {
    return self.policies_->synced() ? 1.0 : 0.0;
  });
  watch(gauge, "cluster_trouble", "Collections that cannot be followed now.", [](Self self) {
    return static_cast<double>(self.policies_->trouble().size());
  });
  watch(gauge, "cluster_namespaces", "Namespaces whose labels are known.", [](Self self) {
    return static_cast<double>(self.policies_->namespaces().size());
  });
  watch(gauge,
        "policies_refused",
        "HygienePolicy objects whose newest spec is refused.",
        [](Self self) { return static_cast<double>(self.policies_->refused()); });
  watch(counter, "cluster_events_total", "Events of watches.", [](Self self) {
    return static_cast<double>(self.policies_->counters().events);
  });
  watch(counter, "cluster_lists_total", "Lists that were begun.", [](Self self) {
    return static_cast<double>(self.policies_->counters().lists);
  });
  watch(counter, "cluster_watches_total", "Watches that were begun.", [](Self self) {
    return static_cast<double>(self.policies_->counters().watches);
  });
  watch(counter, "cluster_requests_total", "Requests to the API server.", [](Self self) {
    return static_cast<double>(self.thread_.api().counters().requests);
  });
  watch(counter, "cluster_request_failures_total", "Those without a good answer.", [](Self self) {
    return static_cast<double>(self.thread_.api().counters().failures);
  });
}

}  // namespace plimsoll::webhook::cli
