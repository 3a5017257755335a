// Label selectors as the Kubernetes API has them (metav1.LabelSelector).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/workload.h"

namespace plimsoll::policy {

enum class LabelOperator : std::uint8_t { kIn, kNotIn, kExists, kDoesNotExist };

struct LabelRequirement {
  std::string key;
  LabelOperator op = LabelOperator::kIn;
  std::vector<std::string> values;
};

// All requirements must hold; an empty selector matches everything. matchLabels {a: b} is a
// requirement `a In [b]`.
struct LabelSelector {
  std::vector<LabelRequirement> requirements;

  // NotIn and DoesNotExist also hold where the label is absent.
  bool matches(std::span<const Label> labels) const;
};

}  // namespace plimsoll::policy
