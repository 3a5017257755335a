#include "policy/match.h"

#include <algorithm>
#include <optional>

#include "policy/pattern.h"

namespace plimsoll::policy {
namespace {

bool kind_matches(const KindPattern& pattern, const Workload& workload) {
  return pattern.kind == workload.kind && (!pattern.group || *pattern.group == workload.group);
}

// An object that the API server has yet to name is matched by what its name will begin with.
std::string_view name_of(const Workload& workload) {
  return workload.name.empty() ? workload.generate_name : workload.name;
}

bool excluded(const HygienePolicy& policy, const Review& review, const Container& container) {
  return std::ranges::any_of(policy.exclude, [&](const Match& match) {
    return matches_image(match, container) && matches_object(match, review);
  });
}

bool excludes_whole(const HygienePolicy& policy, const Review& review) {
  return std::ranges::any_of(policy.exclude, [&](const Match& match) {
    return match.images.empty() && matches_object(match, review);
  });
}

bool excludes_images(const HygienePolicy& policy) {
  return std::ranges::any_of(policy.exclude,
                             [](const Match& match) { return !match.images.empty(); });
}

}  // namespace

bool matches_object(const Match& match, const Review& review) {
  const Workload& workload = *review.object;
  if (!match.namespaces.empty() && !any_glob_matches(match.namespaces, review.name_space)) {
    return false;
  }
  if (!match.names.empty() && !any_glob_matches(match.names, name_of(workload))) return false;
  const auto of_kind = [&](const KindPattern& pattern) { return kind_matches(pattern, workload); };
  if (!match.kinds.empty() && std::ranges::none_of(match.kinds, of_kind)) return false;
  if (match.label_selector && !match.label_selector->matches(workload.labels)) return false;
  if (!match.namespace_selector) return true;
  return review.namespace_labels && match.namespace_selector->matches(*review.namespace_labels);
}

// A selector that cannot be asked counts as matching where that makes a policy apply, and only
// there: exclusions and exceptions have to be proven.
bool applies_to(const Match& match, const Review& review) {
  if (!review.namespace_labels_failed || !match.namespace_selector) {
    return matches_object(match, review);
  }
  Match rest = match;
  rest.namespace_selector.reset();
  return matches_object(rest, review);
}

bool matches_image(const Match& match, const Container& container) {
  if (match.images.empty()) return true;
  return std::ranges::any_of(match.images, [&](const std::string& pattern) {
    return container.reference ? image_pattern_matches(pattern, *container.reference)
                               : glob_matches(pattern, container.image);
  });
}

void select_containers(const HygienePolicy& policy,
                       const Review& review,
                       const Workload& workload,
                       std::vector<const Container*>& selected) {
  selected.clear();
  if (!applies_to(policy.match, review) || excludes_whole(policy, review)) return;
  const bool by_image = excludes_images(policy);
  for (const Container& container : workload.containers) {
    if (!matches_image(policy.match, container)) continue;
    if (by_image && excluded(policy, review, container)) continue;
    selected.push_back(&container);
  }
}

bool selects_container(const HygienePolicy& policy,
                       const Review& review,
                       const Container& container) {
  return applies_to(policy.match, review) && !excludes_whole(policy, review) &&
         matches_image(policy.match, container) && !excluded(policy, review, container);
}

bool covers(const Exception& exception,
            const Rule& rule,
            const Finding& finding,
            const Review& review) {
  if (std::ranges::find(exception.rules, &rule) == exception.rules.end()) return false;
  if (!matches_object(exception.match, review)) return false;
  if (exception.match.images.empty()) return true;
  return finding.container != nullptr && matches_image(exception.match, *finding.container);
}

}  // namespace plimsoll::policy
