#include "webhook/cli/crd_yaml.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace plimsoll::webhook::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kStep = 2;            // of indentation
constexpr std::size_t kColumns = 100;       // folded lines end before
constexpr std::size_t kShortestLine = 50;   // however deep it stands
constexpr std::size_t kLongestScalar = 60;  // that stands beside its key

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Neither a number, nor a date, nor a word with a meaning of its own, nor any sign that YAML reads.
bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kWords = {
      "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"};
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto is_harmless = [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("-_./, ;()'").find(c) != std::string_view::npos;
  };
  return !text.empty() && is_letter(text.front()) && text.back() != ' ' &&
         std::ranges::all_of(text, is_harmless) && std::ranges::find(kWords, lower) == kWords.end();
}

std::string double_quoted(std::string_view text) {
  return Json(text).dump();
}

std::string key_text(std::string_view key) {
  return is_plain(key) ? std::string(key) : double_quoted(key);
}

// A line that begins with a blank, or a line break within, would not be folded back to one blank.
bool can_fold(std::string_view text) {
  return text.size() > kLongestScalar && text.front() != ' ' && text.back() != ' ' &&
         text.find("  ") == std::string_view::npos &&
         std::ranges::none_of(text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
}

void write_folded(std::string& out, std::string_view text, std::size_t indent) {
  const std::size_t width = std::max(kColumns - std::min(indent, kColumns), kShortestLine);
  out += ">-\n";
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > width) {
      length = text.rfind(' ', width);
      if (length == std::string_view::npos) length = text.find(' ');
      length = std::min(length, text.size());
    }
    out.append(indent, ' ').append(text.substr(0, length)) += '\n';
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

void write_scalar(std::string& out, const Json& value, std::size_t indent) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) {
    out += value.dump();
  } else if (can_fold(*text)) {
    return write_folded(out, *text, indent);
  } else {
    out += is_plain(*text) ? *text : double_quoted(*text);
  }
  out += '\n';
}

void write_block(std::string& out, const Json& value, std::size_t indent, bool begun);

// After "key:" or "-": on the same line where it is a scalar or empty.
void write_member(std::string& out, const Json& value, std::size_t indent) {
  if (!value.is_structured()) {
    out += ' ';
    write_scalar(out, value, indent);
  } else if (value.empty()) {
    out += value.is_object() ? " {}\n" : " []\n";
  } else {
    out += '\n';
    write_block(out, value, indent, false);
  }
}

// `begun`: the first line has its indentation already.
void write_block(std::string& out, const Json& value, std::size_t indent, bool begun) {
  for (const auto& [key, member] : value.items()) {
    if (!begun) out.append(indent, ' ');
    begun = false;
    if (value.is_object()) {
      out += key_text(key) + ':';
      write_member(out, member, indent + kStep);
    } else if (member.is_structured() && !member.empty()) {
      out += "- ";
      write_block(out, member, indent + kStep, true);
    } else {
      out += '-';
      write_member(out, member, indent + kStep);
    }
  }
}

}  // namespace

std::string yaml_text(const Json& value) {
  std::string out;
  if (value.is_structured() && !value.empty()) {
    write_block(out, value, 0, false);
  } else {
    write_scalar(out, value, 0);
  }
  return out;
}

}  // namespace plimsoll::webhook::cli
