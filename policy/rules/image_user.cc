#include <algorithm>
#include <iterator>
#include <vector>

#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

bool is_root(std::string_view user) {
  const std::string_view name = user.substr(0, user.find(':'));
  if (name.empty() || name == "root") return true;
  return name.find_first_not_of('0') == std::string_view::npos;
}

// What the pod says wins over what the image says; run-as-root judges that.
FactSet needs(const RuleInput& input, const Container& container) {
  const Workload& workload = input.workload;
  const bool windows = workload.os_name == "windows" || workload.node_os == "windows";
  if (windows || !container.is_run()) return kNoFacts;
  if (container.run_as_user || workload.run_as_user) return kNoFacts;
  const auto non_root =
      container.run_as_non_root ? container.run_as_non_root : workload.run_as_non_root;
  return non_root.value_or(false) ? kNoFacts : kConfig;
}

// Where the pod decides, it is no matter either that the image is not known.
void check(const RuleInput& input, std::vector<Finding>& findings) {
  std::vector<const Container*> undecided;
  std::ranges::copy_if(
      input.containers, std::back_inserter(undecided), [&input](const Container* container) {
        return needs(input, *container) != kNoFacts;
      });
  const auto judge =
      [&](const Container& container, const ImageFacts&, const PlatformFacts& facts) {
        const ImageConfig& config = **facts.config;
        if (config.platform.os == "windows" || !is_root(config.user)) return false;
        Finding& finding = add_image_finding(input, container, findings);
        finding.found = config.user.empty() ? "no user" : "user " + printable(config.user);
        finding.limit = "a user other than root";
        finding.message = describe_image(container) + " runs as root: " +
                          (config.user.empty() ? std::string("it names no user")
                                               : "its user is " + quoted(config.user)) +
                          ", and the pod does not set another";
        return true;
      };
  const RuleInput narrowed{input.workload, undecided, input.parameters, input.facts, input.now};
  judge_platforms(narrowed, kConfig, findings, judge);
}

}  // namespace

constinit const Rule kImageUser = {
    .id = "image-user",
    .title = "Images do not start as root where the pod leaves it to them",
    .why =
        "Where neither the pod nor the container says as whom to run, the image decides, and an "
        "image that says nothing runs as root.",
    .remedy = "add USER with a number to the Containerfile, or set runAsUser or runAsNonRoot: true",
    .parameters = {},
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
