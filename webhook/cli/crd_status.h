// Schemas of what plimsoll writes into the custom resources: the status of each.
#pragma once

#include <nlohmann/json.hpp>

namespace plimsoll::webhook::cli {

nlohmann::ordered_json policy_status_schema();

nlohmann::ordered_json exception_status_schema();

}  // namespace plimsoll::webhook::cli
