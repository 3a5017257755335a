// A shell script cut into simple commands and words, as far as that can be done without running it.
#pragma once

#include <string_view>
#include <vector>

namespace plimsoll::policy {

// Words without quotes around them; views into the script.
using ShellCommand = std::vector<std::string_view>;

// "set -ex && A=1 apt-get install -y gcc" -> {set, -ex}, {apt-get, install, -y, gcc}. Cut at line
// feeds, ";", "&", "|" and parentheses; assignments, `sudo`, `exec`, `then`, `do`, `{` and the like
// before a command are dropped. Quotes are not heeded: a hint is all that is wanted of it.
std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace plimsoll::policy
