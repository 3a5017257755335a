#include <array>
#include <cstddef>
#include <optional>

#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::string_view kLabel = "app.kubernetes.io/version";

enum : std::size_t { kContainerName };

constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "container",
     .kind = ParameterKind::kText,
     .default_json = R"("")",
     .summary = "the container that the label speaks of; empty: the first of spec.containers"},
}};

std::string_view without_v(std::string_view version) {
  const bool leading =
      version.size() > 1 && version[0] == 'v' && version[1] >= '0' && version[1] <= '9';
  return leading ? version.substr(1) : version;
}

const Container* named_container(const RuleInput& input) {
  const std::string& name = input.parameters.text(kContainerName);
  for (const Container* container : input.containers) {
    if (container->container_class != ContainerClass::kContainer) continue;
    if (name.empty() ? container->index == 0 : container->name == name) return container;
  }
  return nullptr;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto in_template = find_label(input.workload.template_labels, kLabel);
  const auto version = in_template ? in_template : find_label(input.workload.labels, kLabel);
  const Container* container = version ? named_container(input) : nullptr;
  if (container == nullptr || !container->reference) return;
  const ImageReference& reference = *container->reference;
  if (reference.tag.empty() && reference.is_pinned()) return;
  if (without_v(reference.effective_tag()) == without_v(*version)) return;
  Finding& finding = findings.emplace_back();
  finding.container = container;
  finding.subject = image_subject(*container);
  finding.pointer = image_pointer(input.workload, *container);
  finding.found = reference.tag.empty() ? "no tag" : "the tag " + quoted(reference.tag);
  finding.limit = quoted(*version);
  finding.message = describe_image(*container) + " has " + finding.found + ", but the label " +
                    std::string(kLabel) + " says " + finding.limit;
}

}  // namespace

constinit const Rule kVersionLabel = {
    .id = "version-label",
    .title = "The tag is the version of the application",
    .why =
        "Dashboards, alerts and people read the version from app.kubernetes.io/version. Where it "
        "is not what "
        "runs, they look at the wrong release.",
    .remedy =
        "set the label and the tag to the same version, in one place of the chart or kustomization",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
