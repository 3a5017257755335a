#include "webhook/policy_sources/default_policy.h"

namespace plimsoll::webhook::policy_sources {

namespace {

constexpr std::string_view kDefaultPolicy =
    R"yaml(# What plimsoll checks when it is given no policy: nothing is refused, the six things that hurt
# most in production are warned about, three more are only recorded. Save this as a file, change it,
# and pass it with --policy. `plimsoll policy rules` describes every rule and its parameters.
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata:
  name: default
spec:
  # The control plane and its add-ons come from elsewhere; their owners are not asked.
  exclude:
    - namespaces: ["kube-*"]

  # enforce: refused.  warn: admitted, and the user is told.  audit: admitted and recorded.  off.
  # A rule that is not named is off.
  rules:
    # The reference can be parsed, so that a node could pull it at all.
    image-reference:
      action: warn

    # A fixed tag or a digest. Without a tag a runtime pulls `latest`, which is another program
    # tomorrow: two pods of one Deployment may differ, and there is nothing to roll back to.
    image-tag:
      action: warn
      mutable: [latest]

    # Without a liveness probe a process that hangs stays in the cluster until somebody notices.
    liveness-probe:
      action: warn

    # Without a readiness probe a pod gets requests before it can answer them.
    readiness-probe:
      action: warn

    # Requests are what the scheduler counts with; without a memory limit one leak takes the node.
    resources:
      action: warn
      requests: [cpu, memory]
      limits: [memory]

    # Passwords and tokens as literal values of variables are readable by whoever may read pods, and
    # are kept in every revision. The value itself is never printed.
    secret-env:
      action: warn

    # One image for all environments: `shop:1.4-prod` means that what was tested is not what runs.
    image-environment:
      action: audit

    # A mutable tag is pulled anew; otherwise nodes run whatever they happen to have.
    image-pull-policy:
      action: audit

    # Probes that do harm: liveness the same as readiness, no time to start, a port nobody declared.
    probe-quality:
      action: audit

  # What was there before is warned about, not refused: a label can be changed on an old Deployment.
  existingViolations: warn

  # Pods that a built-in controller makes were judged as a template, when a person wrote it.
  controllerCreated: warn
)yaml";

}  // namespace

std::string_view default_policy_yaml() {
  return kDefaultPolicy;
}

}  // namespace plimsoll::webhook::policy_sources
