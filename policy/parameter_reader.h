// Reads the values that a policy sets for a rule's parameters, as the rule declares them.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "policy/document_reader.h"
#include "policy/rule.h"

namespace plimsoll::policy {

// Nothing where the value does not fit the declaration; the problems then say why.
std::optional<ParameterValue> read_parameter(const Parameter& parameter,
                                             const Node& node,
                                             Problems& problems);

// In the order of the rule's declaration.
std::vector<ParameterValue> default_values(const Rule& rule);

// What no single parameter shows: a minimum above its maximum, a pattern allowed and denied.
// `node` is the rule's object.
void check_contradictions(const Rule& rule,
                          const std::vector<ParameterValue>& values,
                          const Node& node,
                          Problems& problems);

// A day like 2027-01-31; a problem, and the first of all days, for anything else.
// "168h", "30d".
std::optional<std::chrono::seconds> read_time_span(const Node& node, Problems& problems);
std::chrono::sys_days read_date(const Node& node, Problems& problems);

// Normalises the patterns; what can never be an image's reference is a problem.
std::vector<std::string> read_image_patterns(const Node& node, Emptiness empty, Problems& problems);

}  // namespace plimsoll::policy
