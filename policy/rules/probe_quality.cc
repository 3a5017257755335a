#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kIdentical, kStartupSlack, kNamedPort };

constexpr std::int64_t kSlackSeconds = 30;  // what the API's defaults give: 3 failures, 10 s apart

constexpr std::array<Parameter, 3> kParameters = {{
    {.name = "identical",
     .kind = ParameterKind::kFlag,
     .default_json = "true",
     .summary =
         "the liveness probe must not be the readiness probe again, failing as soon or sooner"},
    {.name = "startupSlack",
     .kind = ParameterKind::kFlag,
     .default_json = "true",
     .summary = "without a startup probe, liveness must leave at least 30 s from the start to the "
                "restart"},
    {.name = "namedPort",
     .kind = ParameterKind::kFlag,
     .default_json = "true",
     .summary = "a port that a probe names must be declared by the container"},
}};

struct NamedProbe {
  std::string_view word;
  std::string_view field;
  Probe Container::* probe;
};

constexpr std::array<NamedProbe, 3> kProbes = {{
    {"liveness", "/livenessProbe", &Container::liveness},
    {"readiness", "/readinessProbe", &Container::readiness},
    {"startup", "/startupProbe", &Container::startup},
}};

// The API server fills in "/" where httpGet names no path.
std::string_view effective_path(const Probe& probe) {
  const bool filled = probe.handler == ProbeHandler::kHttpGet && probe.path.empty();
  return filled ? "/" : probe.path;
}

bool same_target(const Probe& a, const Probe& b) {
  return a.handler == b.handler && a.port_name == b.port_name && a.port == b.port &&
         effective_path(a) == effective_path(b) && a.scheme == b.scheme && a.host == b.host &&
         a.service == b.service && std::ranges::equal(a.command, b.command);
}

// Hostile numbers must not overflow.
std::int64_t seconds_to_failure(const Probe& probe) {
  const auto bounded = [](std::int64_t n) { return std::clamp<std::int64_t>(n, 0, 1'000'000); };
  return bounded(probe.period) * bounded(probe.failure_threshold);
}

Finding& add(const RuleInput& input,
             const Container& container,
             std::string subject,
             std::string_view field,
             std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.subject = std::move(subject);
  finding.pointer = pointer_to(input.workload, container, field);
  return finding;
}

void check_identical(const RuleInput& input,
                     const Container& container,
                     std::vector<Finding>& findings) {
  const Probe& liveness = container.liveness;
  const Probe& readiness = container.readiness;
  if (!liveness.usable() || !readiness.usable() || !same_target(liveness, readiness)) return;
  if (seconds_to_failure(liveness) > seconds_to_failure(readiness)) return;
  Finding& finding = add(input, container, "identical", "/livenessProbe", findings);
  finding.found = "the same check for liveness and readiness";
  finding.limit = "a liveness probe that fails later, or checks less";
  finding.message = describe(container) +
                    " asks the same for liveness and readiness, and liveness gives up " +
                    "no later: a container that is merely not ready is killed";
}

void check_slack(const RuleInput& input,
                 const Container& container,
                 std::vector<Finding>& findings) {
  const Probe& liveness = container.liveness;
  if (!liveness.usable() || container.startup.usable()) return;
  const std::int64_t delay = std::clamp<std::int64_t>(liveness.initial_delay, 0, 1'000'000);
  const std::int64_t slack = delay + seconds_to_failure(liveness);
  if (slack >= kSlackSeconds) return;
  Finding& finding = add(input, container, "startup-slack", "/livenessProbe", findings);
  finding.found = std::to_string(slack) + " s";
  finding.limit = std::to_string(kSlackSeconds) + " s";
  finding.badness = Quantity{Int128{kSlackSeconds - slack}};
  finding.message = describe(container) + " is killed if its start takes longer than " +
                    finding.found + " (delay + period x failures), limit " + finding.limit +
                    "; it has no startupProbe";
}

void check_ports(const RuleInput& input,
                 const Container& container,
                 std::vector<Finding>& findings) {
  for (const NamedProbe& named : kProbes) {
    const Probe& probe = container.*named.probe;
    const auto is_named = [&probe](const Port& port) { return port.name == probe.port_name; };
    if (probe.port_name.empty() || std::ranges::any_of(container.ports, is_named)) continue;
    Finding& finding =
        add(input, container, "named-port/" + std::string(named.word), named.field, findings);
    finding.found = "port " + quoted(probe.port_name);
    finding.limit = "a port that the container declares";
    finding.message = describe(container) + " has a " + std::string(named.word) + " probe on " +
                      finding.found + ", which it does not declare: the probe always fails";
  }
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const bool identical = input.parameters.flag(kIdentical);
  const bool slack = input.parameters.flag(kStartupSlack);
  const bool ports = input.parameters.flag(kNamedPort);
  for (const Container* container : input.containers) {
    if (!container->is_long_running()) continue;
    if (identical) check_identical(input, *container, findings);
    if (slack) check_slack(input, *container, findings);
    if (ports) check_ports(input, *container, findings);
  }
}

}  // namespace

constinit const Rule kProbeQuality = {
    .id = "probe-quality",
    .title = "Probes do what they are meant to",
    .why =
        "A liveness probe that fails with the readiness probe turns every overload into a restart "
        "loop; one "
        "without slack kills slow starters; one on an undeclared port never passes.",
    .remedy =
        "let liveness check less and later than readiness, use a startupProbe for slow starts, "
        "declare the port",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
