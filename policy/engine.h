// The decision: policies, a review and the time in; findings and a verdict out. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decision.h"
#include "policy/policy_set.h"
#include "policy/review.h"

namespace plimsoll::policy {

struct EvaluationOptions {
  Mode mode = Mode::kEnforce;
  // User names whose CREATEs fall under controllerCreated.
  std::vector<std::string> controllers = built_in_controllers();

  static std::vector<std::string> built_in_controllers();
};

// Judges `review.object` (never null) by each policy alone and merges equal findings. The result
// points into `policies` and `review`.
Decision evaluate(const PolicySet& policies,
                  const Review& review,
                  const EvaluationOptions& options,
                  std::chrono::sys_seconds now);

}  // namespace plimsoll::policy
