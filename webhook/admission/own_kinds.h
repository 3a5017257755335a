// Reviews of plimsoll's own kinds: a mistake is told to whoever makes it, before it is stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy_set.h"
#include "webhook/admission/response.h"
#include "webhook/admission/review_reader.h"

namespace plimsoll::webhook::admission {

inline constexpr std::string_view kOwnGroup = "plimsoll.dev";

struct OwnKindAnswer {
  std::string refusal;  // empty: the object is fine, or its mistakes are not new
  std::vector<std::string> warnings;
};

// Of a HygienePolicy or HygieneException that is created or updated; every other kind is fine.
OwnKindAnswer judge_own_kind(const Envelope& envelope, const policy::PolicySet& policies);

// The same for the body of a review that the JSON parser refuses: what nobody can read must not be
// stored, in whatever mode. Nothing where it is of another kind.
std::optional<OwnKindAnswer> judge_unreadable(std::string_view body,
                                              const policy::PolicySet& policies);

// What `response` says then.
void answer_own_kind(OwnKindAnswer own, Response& response);

}  // namespace plimsoll::webhook::admission
