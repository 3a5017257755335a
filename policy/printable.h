// Text of strangers made fit for one line of a message, a log, or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plimsoll::policy {

inline constexpr std::size_t kNameRunes = 128;  // names and references shown in messages

// Control, bidirectional, zero-width and line-separator characters and bytes that are not UTF-8
// become `\u{..}` escapes; cut to `runes` characters with "..." where longer.
std::string printable(std::string_view text, std::size_t runes = kNameRunes);

// The same, in double quotes, with quotes and backslashes escaped.
std::string quoted(std::string_view text, std::size_t runes = kNameRunes);

// Like `printable`, but keeps line feeds and drops the rest instead of escaping it: for whole
// messages.
std::string printable_lines(std::string_view text, std::size_t runes);

// The number of code points of valid UTF-8.
std::size_t rune_count(std::string_view text);

}  // namespace plimsoll::policy
