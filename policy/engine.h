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

// Which facts the rules that apply would look at.
struct FactNeeds {
  // In the order of the object's containers; empty where no rule wants anything.
  std::vector<FactSet> wanted;
  // The part of it that is worth a request. Not those of images that the old object had already,
  // nor of pods that a controller makes: their template was judged when a person wrote it.
  std::vector<FactSet> required;
  std::vector<std::string> compared;  // further references whose kConfig is wanted, normalised

  bool none() const { return wanted.empty(); }
};
FactNeeds facts_needed(const PolicySet& policies,
                       const Review& review,
                       const EvaluationOptions& options);

// Judges `review.object` (never null) by each policy alone and merges equal findings. A rule that
// needs facts passes over the containers whose facts nobody looked up. The result points into
// `policies` and `review`.
Decision evaluate(const PolicySet& policies,
                  const Review& review,
                  const FactTable& facts,
                  const EvaluationOptions& options,
                  std::chrono::sys_seconds now);

}  // namespace plimsoll::policy
