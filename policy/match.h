// Whether a policy, an exclusion or an exception concerns a review, and which of its containers.
#pragma once

#include <vector>

#include "policy/policy_set.h"
#include "policy/review.h"

namespace plimsoll::policy {

// Everything but `images`. A namespace selector does not match where the labels are not known:
// callers make sure that they are (see HygienePolicy::needs_namespace_labels).
bool matches_object(const Match& match, const Review& review);

// The same for a policy's own match, where labels that could not be learnt do not count against it.
bool applies_to(const Match& match, const Review& review);

// True for no patterns. A container whose reference cannot be parsed is compared by its raw text.
bool matches_image(const Match& match, const Container& container);

// The containers of the review's object that `policy` selects, in the workload's order, after match
// and exclude; empty: the policy does not concern it. `selected` is cleared first.
void select_containers(const HygienePolicy& policy,
                       const Review& review,
                       const Workload& workload,
                       std::vector<const Container*>& selected);

// Whether that one container of the review's object is among them.
bool selects_container(const HygienePolicy& policy,
                       const Review& review,
                       const Container& container);

// True if the exception covers this finding: rule, object, and, where it names images, a finding
// about a container of such an image (never one about the pod as a whole).
bool covers(const Exception& exception,
            const Rule& rule,
            const Finding& finding,
            const Review& review);

}  // namespace plimsoll::policy
