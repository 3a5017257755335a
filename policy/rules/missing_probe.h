// What liveness-probe, readiness-probe and health-check share: who has to be probed at all.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "policy/rule.h"

namespace plimsoll::policy::rules {

// The one parameter of liveness-probe and readiness-probe.
extern const std::array<Parameter, 1> kProbeParameters;

// Containers that the kubelet keeps running. Pods that end by themselves need no probes, init and
// ephemeral containers cannot have any.
bool needs_probe(const Workload& workload, const Container& container, bool sidecars);

// One finding for each container that needs a probe and whose `probe` is missing or empty.
// `field` is the probe's key, `effect` what its absence leads to.
void find_missing_probes(const RuleInput& input,
                         Probe Container::* probe,
                         std::string_view field,
                         std::string_view effect,
                         std::vector<Finding>& findings);

}  // namespace plimsoll::policy::rules
