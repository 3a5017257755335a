// Schemas of what people write into the custom resources: the spec of each.
#pragma once

#include <nlohmann/json.hpp>

namespace plimsoll::webhook::cli {

// The rules and their parameters come from the table of rules.
nlohmann::ordered_json policy_spec_schema();

nlohmann::ordered_json exception_spec_schema();

}  // namespace plimsoll::webhook::cli
