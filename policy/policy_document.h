// Parses and validates the policy document: taken whole or not at all.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "policy/json.h"
#include "policy/policy_set.h"

namespace plimsoll::policy {

// One thing that is wrong with a document.
struct Problem {
  std::string pointer;  // JSON pointer of the value, or of the member whose key is wrong
  bool at_key = false;  // it is the key that is wrong
  std::string message;  // what, and what to do: `unknown key "actoin"; did you mean "action"?`
};

// All problems at once, in document order. `document` is one HygienePolicy object.
std::expected<HygienePolicy, std::vector<Problem>> parse_policy(const json::Element& document);

// The defaults of a rule's parameters. A default that does not parse is a bug and ends the program.
Parameters default_parameters(const Rule& rule);

// The same check for values that come one by one, as in tests: JSON text of an object with a rule's
// parameters, `{"mutable": ["latest"]}`.
std::expected<Parameters, std::vector<Problem>> parse_parameters(const Rule& rule,
                                                                 std::string_view json_text);

}  // namespace plimsoll::policy
