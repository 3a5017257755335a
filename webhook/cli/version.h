// Which version of the program this is.
#pragma once

#include <string_view>

namespace plimsoll::webhook::cli {

std::string_view version();  // "0.1.0"

}  // namespace plimsoll::webhook::cli
