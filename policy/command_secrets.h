// Secrets that stand in a command line or in an instruction of a build: where, and of what kind.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plimsoll::policy {

inline constexpr std::size_t kMaxCommandBytes = 16 * 1024;  // no more of a text is looked at

struct CommandSecret {
  std::size_t begin = 0;  // of the value in the text
  std::size_t end = 0;
  std::string_view name;  // "NPM_TOKEN", "--password", "-u"; empty where only its shape shows it
  std::string_view what;  // "a secret by its name", "an AWS access key"; of static lifetime
};

// In the order of the text, without overlaps. Rather one too many than one too few: values of
// assignments and options with secret names, `-u user:password`, URLs with a password, headers such
// as Authorization, keys, and whatever has the shape of a known token. References ($TOKEN) and
// paths are none. Quotes need not match. A text that begins with NAME= is a value to its end.
std::vector<CommandSecret> find_command_secrets(std::string_view text);

// The text, at most kMaxCommandBytes of it, with "***" in place of each secret.
std::string without_command_secrets(std::string_view text);

}  // namespace plimsoll::policy
