#include "policy/printable.h"

#include <charconv>
#include <cstdint>

namespace plimsoll::policy {
namespace {

struct Rune {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

constexpr bool is_continuation(unsigned char c) {
  return (c & 0xC0U) == 0x80U;
}

// The first code point of `text`, which is not empty. Overlong forms and surrogates are invalid.
Rune first_rune(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  std::uint32_t code = 0;
  std::uint32_t least = 0;
  if ((lead & 0xE0U) == 0xC0U) {
    length = 2, code = lead & 0x1FU, least = 0x80;
  } else if ((lead & 0xF0U) == 0xE0U) {
    length = 3, code = lead & 0x0FU, least = 0x800;
  } else if ((lead & 0xF8U) == 0xF0U) {
    length = 4, code = lead & 0x07U, least = 0x10000;
  }
  if (length == 0 || text.size() < length) return {lead, 1, false};
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte(i))) return {lead, 1, false};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least || surrogate || code > 0x10FFFF) return {lead, 1, false};
  return {code, length, true};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Characters that hide, reorder, or break a line (Unicode categories Cc, Cf, Zl, Zp), and variation
// and tag characters that are never drawn.
constexpr Range kHidden[] = {
    {0x00, 0x1F},
    {0x7F, 0x9F},
    {0xAD, 0xAD},
    {0x061C, 0x061C},
    {0x180E, 0x180E},
    {0x200B, 0x200F},
    {0x2028, 0x202E},
    {0x2060, 0x206F},
    {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
    {0xE0000, 0xE007F},
};

bool is_hidden(std::uint32_t code) {
  if (code >= 0x20 && code < 0x7F) return false;
  for (const Range& range : kHidden) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

void append_escape(std::string& out, std::uint32_t code) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, code, 16);
  out += "\\u{";
  out.append(digits, end.ptr);
  out += '}';
}

constexpr std::string_view kCut = "...";

// Appends at most `runes` of `text`; true if something was left out.
bool append_escaped(std::string& out, std::string_view text, std::size_t runes, bool in_quotes) {
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == runes) return true;
    const Rune rune = first_rune(text);
    if (!rune.valid || is_hidden(rune.code)) {
      append_escape(out, rune.code);
    } else {
      if (in_quotes && (rune.code == '"' || rune.code == '\\')) out += '\\';
      out += text.substr(0, rune.bytes);
    }
    text.remove_prefix(rune.bytes);
  }
  return false;
}

}  // namespace

std::string printable(std::string_view text, std::size_t runes) {
  std::string out;
  out.reserve(text.size() < 4 * runes ? text.size() : 4 * runes);
  if (append_escaped(out, text, runes, false)) out += kCut;
  return out;
}

std::string quoted(std::string_view text, std::size_t runes) {
  std::string out = "\"";
  const bool cut = append_escaped(out, text, runes, true);
  if (cut) out += kCut;
  out += '"';
  return out;
}

std::string printable_lines(std::string_view text, std::size_t runes) {
  std::string out;
  std::size_t count = 0;
  while (!text.empty() && count < runes) {
    const Rune rune = first_rune(text);
    if (rune.code == '\n' || (rune.valid && !is_hidden(rune.code))) {
      out += text.substr(0, rune.bytes);
      ++count;
    }
    text.remove_prefix(rune.bytes);
  }
  return out;
}

std::size_t rune_count(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if (!is_continuation(static_cast<unsigned char>(c))) ++count;
  }
  return count;
}

}  // namespace plimsoll::policy
