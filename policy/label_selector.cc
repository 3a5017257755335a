#include "policy/label_selector.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace plimsoll::policy {
namespace {

bool holds(const LabelRequirement& requirement, std::span<const Label> labels) {
  const std::optional<std::string_view> value = find_label(labels, requirement.key);
  const bool listed =
      value && std::ranges::find(requirement.values, *value) != requirement.values.end();
  switch (requirement.op) {
    case LabelOperator::kIn:
      return listed;
    case LabelOperator::kNotIn:
      return !listed;
    case LabelOperator::kExists:
      return value.has_value();
    case LabelOperator::kDoesNotExist:
      return !value.has_value();
  }
  return false;
}

}  // namespace

bool LabelSelector::matches(std::span<const Label> labels) const {
  return std::ranges::all_of(requirements, [labels](const LabelRequirement& requirement) {
    return holds(requirement, labels);
  });
}

}  // namespace plimsoll::policy
