#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/rules/image_rule.h"
#include "policy/rules/missing_probe.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::array<std::string_view, 2> kAccepted = {"probe", "image"};
constexpr std::size_t kAccept = 0;
constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "accept",
     .kind = ParameterKind::kChoiceList,
     .default_json = R"(["probe"])",
     .summary = "what counts as a health check; probe: a liveness, readiness or startup probe, "
                "which always counts; image: where there is none, a HEALTHCHECK of the image, "
                "which the kubelet ignores",
     .choices = kAccepted},
}};

bool accepts_image(const RuleInput& input) {
  const auto& accepted = input.parameters.list(kAccept);
  return std::ranges::find(accepted, kAccepted[1]) != accepted.end();
}

bool is_open(const RuleInput& input, const Container& container) {
  return needs_probe(input.workload, container, false) && !container.liveness.usable() &&
         !container.readiness.usable() && !container.startup.usable();
}

FactSet needs(const RuleInput& input, const Container& container) {
  return is_open(input, container) && accepts_image(input) ? kConfig : kNoFacts;
}

std::string_view words_for(ImageHealthCheck state) {
  switch (state) {
    case ImageHealthCheck::kDisabled:
      return "the image switches its HEALTHCHECK off (HEALTHCHECK NONE)";
    case ImageHealthCheck::kDropped:
      return "the image has no HEALTHCHECK (buildah and podman drop it unless --format docker)";
    default:
      return "the image has no HEALTHCHECK";
  }
}

Finding& add(const RuleInput& input, const Container& container, std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.pointer = pointer_to(input.workload, container);
  finding.found = "no probe";
  finding.limit = "a liveness, readiness or startup probe";
  finding.message =
      describe(container) + " has no health check: no liveness, readiness or startup probe";
  return finding;
}

void judge_image(const RuleInput& input,
                 const Container& container,
                 const ImageFacts& facts,
                 std::vector<Finding>& findings) {
  for (const PlatformFacts& platform : facts.platforms) {
    if (!platform.config) continue;
    const ImageHealthCheck state = (*platform.config)->health_check;
    if (state == ImageHealthCheck::kPresent) continue;
    Finding& finding = add(input, container, findings);
    finding.found += ", no HEALTHCHECK";
    finding.limit += ", or a HEALTHCHECK of the image";
    finding.message += ", and " + std::string(words_for(state));
    finding.detail = "the policy would accept a HEALTHCHECK; the kubelet ignores it";
    return;
  }
  add_gravest_unknown(input, container, facts, kConfig, findings);
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    if (!is_open(input, *container)) continue;
    if (!accepts_image(input)) {
      add(input, *container, findings);
      continue;
    }
    const ImageFacts* facts = input.facts.find(input.workload, *container);
    if (facts != nullptr) judge_image(input, *container, *facts, findings);
  }
}

}  // namespace

constinit const Rule kHealthCheck = {
    .id = "health-check",
    .title = "Containers have a health check of some kind",
    .why =
        "A container that nobody asks for its health is taken for healthy. This is the lenient "
        "form of liveness-probe and readiness-probe: any one probe will do, or, where accept says "
        "so, a HEALTHCHECK of the image. The kubelet ignores HEALTHCHECK: it shows that somebody "
        "thought of it, no more.",
    .remedy = "add a readinessProbe or a livenessProbe",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
