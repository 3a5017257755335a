#include "policy/rules/missing_probe.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

void check(const RuleInput& input, std::vector<Finding>& findings) {
  find_missing_probes(input,
                      &Container::readiness,
                      "readinessProbe",
                      "it gets traffic before it can answer, and rollouts do not wait for it",
                      findings);
}

}  // namespace

constinit const Rule kReadinessProbe = {
    .id = "readiness-probe",
    .title = "Containers have a readiness probe",
    .why =
        "Without a readiness probe a pod gets traffic as soon as its process runs, and a rollout "
        "replaces "
        "working pods by ones that cannot answer yet. A startupProbe does not replace it.",
    .remedy = "add readinessProbe with a check that fails while the container cannot serve",
    .parameters = kProbeParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
