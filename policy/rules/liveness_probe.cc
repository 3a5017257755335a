#include "policy/rules/missing_probe.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

void check(const RuleInput& input, std::vector<Finding>& findings) {
  find_missing_probes(
      input, &Container::liveness, "livenessProbe", "when it hangs, nothing restarts it", findings);
}

}  // namespace

constinit const Rule kLivenessProbe = {
    .id = "liveness-probe",
    .title = "Containers have a liveness probe",
    .why =
        "Without a liveness probe a process that hangs keeps its pod Running for ever. Jobs and "
        "pods that end "
        "by themselves need none.",
    .remedy =
        "add livenessProbe with a cheap check of the process itself, never of what it depends on",
    .parameters = kProbeParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
