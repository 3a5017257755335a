// Secrets among the words of a command: behind options, of commands that take them, and by shape.
#pragma once

#include <string_view>
#include <vector>

#include "policy/command_secrets.h"

namespace plimsoll::policy {

// Appends them, in the order of the text; may overlap with others.
void find_secret_words(std::string_view text, std::vector<CommandSecret>& found);

}  // namespace plimsoll::policy
