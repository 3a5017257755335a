#include <array>
#include <cstddef>
#include <string>

#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kMinimum };

constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "minimum",
     .kind = ParameterKind::kInteger,
     .default_json = "2",
     .summary = "the least number of replicas; 0 replicas (scaled down) are no finding",
     .minimum = 1,
     .maximum = 1000},
}};

void check(const RuleInput& input, std::vector<Finding>& findings) {
  if (!input.workload.has_replicas) return;
  const std::int64_t minimum = input.parameters.integer(kMinimum);
  const std::int64_t replicas = input.workload.replicas.value_or(1);  // the API's default
  if (replicas >= minimum || replicas <= 0) return;
  Finding& finding = findings.emplace_back();
  finding.pointer = "/spec/replicas";
  finding.found = std::to_string(replicas) + (replicas == 1 ? " replica" : " replicas");
  finding.limit = "at least " + std::to_string(minimum);
  finding.badness = Quantity{Int128{minimum - replicas}};
  finding.message =
      std::string(input.workload.kind) + " has " + finding.found + ", limit " + finding.limit;
}

}  // namespace

constinit const Rule kReplicas = {
    .id = "replicas",
    .title = "Workloads have more than one replica",
    .why =
        "With one replica every node drain, eviction and crash is an outage. ReplicaSets are "
        "left alone: a rollout turns them up and down step by step.",
    .remedy = "raise spec.replicas, and add a PodDisruptionBudget",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
