#include "webhook/documents/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "policy/printable.h"

namespace plimsoll::webhook::documents {
namespace {

constexpr std::string_view kYamlTag = "tag:yaml.org,2002:";
constexpr double kPlainDigits = 1e15;  // larger floats are written with an exponent

constexpr std::array<std::string_view, 11> kTrueWords = {
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array<std::string_view, 11> kFalseWords = {
    "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> kNullWords = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> kNotFinite = {".nan",
                                                         ".NaN",
                                                         ".NAN",
                                                         ".inf",
                                                         ".Inf",
                                                         ".INF",
                                                         "+.inf",
                                                         "+.Inf",
                                                         "+.INF",
                                                         "-.inf",
                                                         "-.Inf",
                                                         "-.INF"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) {
  return std::ranges::find(words, text) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The base that a prefix stands for; the prefix is removed. A lone leading zero means octal.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  int base = 8;
  std::size_t prefix = 2;
  switch (digits[1]) {
    case 'x':
    case 'X':
      base = 16;
      break;
    case 'b':
    case 'B':
      base = 2;
      break;
    case 'o':
    case 'O':
      break;
    default:
      prefix = 1;
  }
  digits.remove_prefix(prefix);
  return base;
}

// Within -2^63 and 2^64 - 1; beyond that it may still be a float.
std::optional<std::string> parse_integer(std::string_view text) {
  const bool negative = text.front() == '-';
  const bool is_signed = negative || text.front() == '+';
  std::string_view digits = text.substr(is_signed ? 1 : 0);
  const int base = take_base(digits);
  if (digits.empty()) return std::nullopt;
  std::uint64_t magnitude = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  constexpr std::uint64_t kMaxSigned = std::numeric_limits<std::int64_t>::max();
  if (is_signed && magnitude > kMaxSigned + (negative ? 1 : 0)) return std::nullopt;
  return (negative && magnitude != 0 ? "-" : "") + std::to_string(magnitude);
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// [-+]? (\.[0-9]+ | [0-9]+(\.[0-9]*)?) ([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = skip_digits(text, at);
  const bool has_whole = whole > at;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = skip_digits(text, at + 1);
    if (!has_whole && fraction == at + 1) return false;
    at = fraction;
  } else if (!has_whole) {
    return false;
  }
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const std::size_t end = skip_digits(text, at);
  return end > at && end == text.size();
}

std::string float_text(double value) {
  const bool is_short = std::fabs(value) < kPlainDigits;
  const bool is_whole = is_short && value == std::trunc(value);
  std::array<char, 32> digits;
  char* const end = digits.data() + digits.size();
  std::to_chars_result result{};
  if (is_whole) {
    result = std::to_chars(digits.data(), end, value, std::chars_format::fixed);
  } else if (is_short) {
    result = std::to_chars(digits.data(), end, value);
  } else {
    result = std::to_chars(digits.data(), end, value, std::chars_format::scientific);
  }
  return {digits.data(), result.ptr};
}

// Nothing for what is too large for a double: it stays text.
std::optional<std::string> parse_float(const std::string& text) {
  if (!looks_like_float(text)) return std::nullopt;
  const double value = std::strtod(text.c_str(), nullptr);
  if (!std::isfinite(value)) return std::nullopt;
  return float_text(value);
}

Scalar resolve_number(std::string_view text) {
  std::string digits(text);
  if (text.front() != '.') std::erase(digits, '_');
  if (digits.empty()) return {ScalarType::kText, std::string(text)};
  if (auto integer = parse_integer(digits)) return {ScalarType::kInteger, *std::move(integer)};
  if (auto number = parse_float(digits)) return {ScalarType::kFloat, *std::move(number)};
  return {ScalarType::kText, std::string(text)};
}

std::string cannot(std::string_view text, std::string_view tag) {
  return fmt::format(
      "{} is not a !!{}; correct the value or remove the tag", policy::quoted(text), tag);
}

bool tag_accepts(std::string_view tag, ScalarType type) {
  if (tag == "null") return type == ScalarType::kNull;
  if (tag == "bool") return type == ScalarType::kBool;
  if (tag == "int") return type == ScalarType::kInteger;
  return type == ScalarType::kInteger || type == ScalarType::kFloat ||
         type == ScalarType::kNotFinite;
}

}  // namespace

Scalar resolve_plain(std::string_view text) {
  if (is_one_of(kNullWords, text)) return {ScalarType::kNull, "null"};
  if (is_one_of(kTrueWords, text)) return {ScalarType::kBool, "true"};
  if (is_one_of(kFalseWords, text)) return {ScalarType::kBool, "false"};
  if (is_one_of(kNotFinite, text)) return {ScalarType::kNotFinite, std::string(text)};
  const char first = text.front();
  if (is_digit(first) || first == '-' || first == '+' || first == '.') return resolve_number(text);
  return {ScalarType::kText, std::string(text)};
}

std::expected<Scalar, std::string> resolve_scalar(std::string_view tag, std::string_view text) {
  if (tag == "?") return resolve_plain(text);
  if (!tag.starts_with(kYamlTag)) return Scalar{ScalarType::kText, std::string(text)};
  const std::string_view name = tag.substr(kYamlTag.size());
  if (name == "binary") {
    return std::unexpected(
        "the tag !!binary is not supported; Kubernetes takes base64 text as it is");
  }
  if (name == "null" || name == "bool" || name == "int" || name == "float") {
    Scalar scalar = resolve_plain(text);
    if (!tag_accepts(name, scalar.type)) return std::unexpected(cannot(text, name));
    return scalar;
  }
  return Scalar{ScalarType::kText, std::string(text)};
}

std::expected<std::string, std::string> scalar_to_json(const Scalar& scalar) {
  if (scalar.type == ScalarType::kNotFinite) {
    return std::unexpected(
        fmt::format("JSON has no number {}; put it in quotes if text is meant", scalar.text));
  }
  if (scalar.type != ScalarType::kText) return scalar.text;
  std::string json;
  append_json_string(json, scalar.text);
  return json;
}

std::expected<std::string, std::string> scalar_to_key(const Scalar& scalar, std::string_view text) {
  if (scalar.type == ScalarType::kNull) {
    return std::unexpected("null cannot be a key; put it in quotes");
  }
  return scalar.type == ScalarType::kText ? std::string(text) : scalar.text;
}

void append_json_string(std::string& json, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  json += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (byte < 0x20) {
      json += "\\u00";
      json += kHex[byte >> 4];
      json += kHex[byte & 15];
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace plimsoll::webhook::documents
