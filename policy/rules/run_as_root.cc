#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

void add(const Container& container,
         std::string pointer,
         std::string found,
         std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.pointer = std::move(pointer);
  finding.limit = "runAsNonRoot: true, or a runAsUser above 0";
  finding.message = describe(container) + " " + found;
  finding.found = std::move(found);
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const Workload& workload = input.workload;
  if (workload.os_name == "windows") return;
  for (const Container* container : input.containers) {
    if (!container->is_run()) continue;
    const auto user = container->run_as_user ? container->run_as_user : workload.run_as_user;
    if (user) {
      if (*user == 0) {
        constexpr std::string_view kUser = "/securityContext/runAsUser";
        std::string pointer = container->run_as_user ? pointer_to(workload, *container, kUser)
                                                     : pod_spec_pointer(workload, kUser);
        add(*container, std::move(pointer), "runs as root: its runAsUser is 0", findings);
      }
      continue;
    }
    const auto non_root =
        container->run_as_non_root ? container->run_as_non_root : workload.run_as_non_root;
    if (non_root.value_or(false)) continue;
    add(*container,
        pointer_to(workload, *container, "/securityContext"),
        non_root ? "may run as root: runAsNonRoot is false, and there is no runAsUser"
                 : "may run as root: neither runAsNonRoot nor runAsUser is set",
        findings);
  }
}

}  // namespace

constinit const Rule kRunAsRoot = {
    .id = "run-as-root",
    .title = "Containers do not run as root",
    .why =
        "Root inside a container is root on the node as soon as anything about the isolation "
        "fails. The kubelet "
        "takes the container's setting over the pod's, and starts the image's user where neither "
        "is set.",
    .remedy = "set securityContext.runAsNonRoot: true, and a user in the image or runAsUser",
    .parameters = {},
    .check = check,
};

}  // namespace plimsoll::policy::rules
