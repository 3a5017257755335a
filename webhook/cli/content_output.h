// How what was found in layers is written.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "webhook/cli/layer_examination.h"

namespace plimsoll::webhook::cli {

std::string content_as_text(const Examination& examination);
nlohmann::ordered_json content_as_json(const Examination& examination);

}  // namespace plimsoll::webhook::cli
