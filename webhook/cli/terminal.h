// Standard output: whether a person looks at it, and whether all of it was written.
#pragma once

#include <string_view>

namespace plimsoll::webhook::cli {

// A terminal, and neither NO_COLOR (no-color.org) nor TERM=dumb in the environment.
bool wants_colour();

// Writes and flushes; where that fails, says so on standard error and returns false.
bool print(std::string_view text);

// One line to standard error.
void complain(std::string_view line);

}  // namespace plimsoll::webhook::cli
