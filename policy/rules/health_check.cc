#include <array>
#include <cstddef>

#include "policy/rules/missing_probe.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::array<std::string_view, 1> kAccepted = {"probe"};

constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "accept",
     .kind = ParameterKind::kChoiceList,
     .default_json = R"(["probe"])",
     .summary = "what counts as a health check; probe: a liveness, readiness or startup probe",
     .choices = kAccepted},
}};

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    if (!needs_probe(input.workload, *container, false)) continue;
    if (container->liveness.usable() || container->readiness.usable() ||
        container->startup.usable())
      continue;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.pointer = pointer_to(input.workload, *container);
    finding.found = "no probe";
    finding.limit = "a liveness, readiness or startup probe";
    finding.message =
        describe(*container) + " has no health check: no liveness, readiness or startup probe";
  }
}

}  // namespace

constinit const Rule kHealthCheck = {
    .id = "health-check",
    .title = "Containers have a health check of some kind",
    .why =
        "A container that nobody asks for its health is taken for healthy. This is the lenient "
        "form of "
        "liveness-probe and readiness-probe: any one probe will do.",
    .remedy = "add a readinessProbe or a livenessProbe",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
