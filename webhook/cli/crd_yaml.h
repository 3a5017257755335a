// Writes JSON values as YAML for people to read: block style, long texts folded.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace plimsoll::webhook::cli {

// Ends with a line break. Any YAML reader gives the same value back, also one of YAML 1.1.
std::string yaml_text(const nlohmann::ordered_json& value);

}  // namespace plimsoll::webhook::cli
