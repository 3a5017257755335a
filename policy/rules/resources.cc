#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kRequests, kLimits, kMinimum, kMaximum, kRatio };

constexpr std::array<Parameter, 5> kParameters = {{
    {.name = "requests",
     .kind = ParameterKind::kTextList,
     .default_json = R"(["cpu", "memory"])",
     .summary =
         "resources that every container must request; a limit without a request counts as one"},
    {.name = "limits",
     .kind = ParameterKind::kTextList,
     .default_json = R"(["memory"])",
     .summary = "resources that every container must limit"},
    {.name = "minimum",
     .kind = ParameterKind::kQuantityMap,
     .default_json = "{}",
     .summary = "resource: least quantity, of requests and of limits"},
    {.name = "maximum",
     .kind = ParameterKind::kQuantityMap,
     .default_json = "{}",
     .summary = "resource: greatest quantity, of requests and of limits"},
    {.name = "ratio",
     .kind = ParameterKind::kQuantityMap,
     .default_json = "{}",
     .summary = "resource: how many times its request a limit may be"},
}};

// Worse than any amount: what is missing, or cannot be read.
constexpr Quantity kMissing = {Int128{1} << 100};

const ResourceAmount* find_amount(std::span<const ResourceAmount> amounts, std::string_view name) {
  for (const ResourceAmount& amount : amounts) {
    if (amount.name == name) return &amount;
  }
  return nullptr;
}

// One container under this rule.
class ResourceCheck {
 public:
  ResourceCheck(const RuleInput& input, const Container& container, std::vector<Finding>& findings)
      : input_(input), container_(container), findings_(findings) {}

  void run() const {
    for (const std::string& name : input_.parameters.list(kRequests))
      check_present("requests", name);
    for (const std::string& name : input_.parameters.list(kLimits)) check_present("limits", name);
    check_readable("requests", container_.requests);
    check_readable("limits", container_.limits);
    for (const NamedQuantity& bound : input_.parameters.quantities(kMinimum)) {
      check_minimum("requests", request(bound.name), bound);
      check_minimum("limits", limit(bound.name), bound);
    }
    for (const NamedQuantity& bound : input_.parameters.quantities(kMaximum)) {
      check_maximum("requests", request(bound.name), bound);
      check_maximum("limits", limit(bound.name), bound);
    }
    for (const NamedQuantity& bound : input_.parameters.quantities(kRatio)) check_ratio(bound);
  }

 private:
  const ResourceAmount* limit(std::string_view name) const {
    return find_amount(container_.limits, name);
  }
  // As the API server does it for Pods: a limit without a request is the request.
  const ResourceAmount* request(std::string_view name) const {
    const ResourceAmount* own = find_amount(container_.requests, name);
    return own != nullptr ? own : limit(name);
  }

  Finding& add(std::string subject, std::string_view list) const {
    Finding& finding = findings_.emplace_back();
    finding.container = &container_;
    finding.subject = std::move(subject);
    finding.pointer = pointer_to(input_.workload, container_, "/resources");
    if (!list.empty()) finding.pointer += "/" + std::string(list);
    return finding;
  }

  // "cpu request", "memory limit".
  static std::string title(std::string_view list, std::string_view name) {
    return printable(name) + (list == "requests" ? " request" : " limit");
  }
  static std::string subject(std::string_view list, std::string_view name) {
    return std::string(list) + "." + std::string(name);
  }

  void check_present(std::string_view list, const std::string& name) const {
    const ResourceAmount* amount = list == "requests" ? request(name) : limit(name);
    if (amount != nullptr) return;
    Finding& finding = add(subject(list, name), list);
    finding.found = "no " + title(list, name);
    finding.limit = "a " + title(list, name);
    finding.badness = kMissing;
    finding.message = describe(container_) + " has " + finding.found;
  }

  void check_readable(std::string_view list, std::span<const ResourceAmount> amounts) const {
    for (const ResourceAmount& amount : amounts) {
      if (amount.value) continue;
      Finding& finding = add(subject(list, amount.name), list);
      finding.found = quoted(amount.quantity);
      finding.limit = "a quantity such as 250m or 128Mi";
      finding.badness = kMissing;
      finding.message = describe(container_) + " has the " + title(list, amount.name) + " " +
                        finding.found + ", which is not a quantity";
    }
  }

  void check_minimum(std::string_view list,
                     const ResourceAmount* amount,
                     const NamedQuantity& bound) const {
    const auto value = amount != nullptr ? amount->value : std::nullopt;
    if (!value || *value >= bound.value) return;
    Finding& finding = add(subject(list, bound.name), list);
    finding.found = printable(amount->quantity);
    finding.limit = "at least " + bound.text;
    finding.badness = Quantity{bound.value.nano - value->nano};
    finding.message = describe(container_) + " has the " + title(list, bound.name) + " " +
                      finding.found + ", limit " + finding.limit;
  }

  void check_maximum(std::string_view list,
                     const ResourceAmount* amount,
                     const NamedQuantity& bound) const {
    const auto value = amount != nullptr ? amount->value : std::nullopt;
    if (!value || *value <= bound.value) return;
    Finding& finding = add(subject(list, bound.name) + " maximum", list);
    finding.found = printable(amount->quantity);
    finding.limit = "at most " + bound.text;
    finding.badness = Quantity{value->nano - bound.value.nano};
    finding.message = describe(container_) + " has the " + title(list, bound.name) + " " +
                      finding.found + ", limit " + finding.limit;
  }

  void check_ratio(const NamedQuantity& bound) const {
    const ResourceAmount* asked = request(bound.name);
    const ResourceAmount* limited = limit(bound.name);
    const auto request_value = asked != nullptr ? asked->value : std::nullopt;
    const auto limit_value = limited != nullptr ? limited->value : std::nullopt;
    if (!request_value || !limit_value || request_value->nano <= 0) return;
    if (!exceeds_ratio(*limit_value, *request_value, bound.value)) return;
    Finding& finding = add("ratio." + bound.name, "");
    finding.found = ratio_text(*limit_value, *request_value);
    finding.limit = "at most " + bound.text;
    finding.badness = Quantity{limit_value->nano * 1'000'000'000 / request_value->nano};
    finding.message = describe(container_) + " has a " + bound.name + " limit of " +
                      printable(limited->quantity) + " on a request of " +
                      printable(asked->quantity) + ", " + finding.found + " times as much, limit " +
                      finding.limit;
  }

  const RuleInput& input_;
  const Container& container_;
  std::vector<Finding>& findings_;
};

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    const bool may_ask =
        container->is_run() && container->container_class != ContainerClass::kEphemeral;
    if (may_ask) ResourceCheck(input, *container, findings).run();
  }
}

}  // namespace

constinit const Rule kResources = {
    .id = "resources",
    .title = "Containers say what they need and where their limit is",
    .why =
        "Without requests the scheduler packs nodes blindly; without a memory limit one leak takes "
        "its "
        "neighbours along. Ephemeral containers cannot have either.",
    .remedy = "set resources.requests and resources.limits from what the container really uses",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
