#include "policy/rules/missing_probe.h"

#include <cstddef>
#include <string>

namespace plimsoll::policy::rules {

constinit const std::array<Parameter, 1> kProbeParameters = {{
    {.name = "sidecars",
     .kind = ParameterKind::kFlag,
     .default_json = "false",
     .summary = "sidecars (init containers with restartPolicy Always) need one, too"},
}};

bool needs_probe(const Workload& workload, const Container& container, bool sidecars) {
  if (workload.runs_to_completion()) return false;
  return container.container_class == ContainerClass::kContainer ||
         (sidecars && container.container_class == ContainerClass::kSidecar);
}

void find_missing_probes(const RuleInput& input,
                         Probe Container::* probe,
                         std::string_view field,
                         std::string_view effect,
                         std::vector<Finding>& findings) {
  constexpr std::size_t kSidecars = 0;  // the first parameter of both rules
  const bool sidecars = input.parameters.flag(kSidecars);
  for (const Container* container : input.containers) {
    if (!needs_probe(input.workload, *container, sidecars) || (container->*probe).usable())
      continue;
    const bool empty = (container->*probe).present;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.pointer = pointer_to(input.workload, *container, "/" + std::string(field));
    finding.found = (empty ? "an empty " : "no ") + std::string(field);
    finding.limit = "a " + std::string(field);
    finding.message = describe(*container) + " has " + finding.found + ": " + std::string(effect);
  }
}

}  // namespace plimsoll::policy::rules
