#include "policy/quantity.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "policy/ascii.h"
namespace plimsoll::policy {
namespace {

constexpr Int128 kUnit = 1'000'000'000;  // nano in one
constexpr Int128 kLimit = (Int128{1} << 63) * kUnit;
constexpr std::size_t kMaxDigits = 30;

struct Scale {
  int binary = 0;   // power of 2
  int decimal = 0;  // power of 10
};

struct Suffix {
  std::string_view text;
  Scale scale;
};

constexpr std::array<Suffix, 16> kSuffixes = {{
    {"", {0, 0}},
    {"n", {0, -9}},
    {"u", {0, -6}},
    {"m", {0, -3}},
    {"k", {0, 3}},
    {"M", {0, 6}},
    {"G", {0, 9}},
    {"T", {0, 12}},
    {"P", {0, 15}},
    {"E", {0, 18}},
    {"Ki", {10, 0}},
    {"Mi", {20, 0}},
    {"Gi", {30, 0}},
    {"Ti", {40, 0}},
    {"Pi", {50, 0}},
    {"Ei", {60, 0}},
}};

// "e3", "E-2": nothing where it is not an exponent.
std::optional<int> parse_exponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 3) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::optional<Scale> parse_suffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (text == suffix.text) return suffix.scale;
  }
  const std::optional<int> exponent = parse_exponent(text);
  if (!exponent) return std::nullopt;
  return Scale{0, *exponent};
}

struct Digits {
  Int128 value = 0;
  int fraction = 0;       // how many of them stand after the point
  std::size_t bytes = 0;  // read of the text; 0: no number
};

Digits parse_digits(std::string_view text) {
  Digits digits;
  std::size_t significant = 0;
  bool any = false;
  bool point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(text[i])) break;
    any = true;
    significant += significant > 0 || text[i] != '0' ? 1 : 0;
    if (significant > kMaxDigits) return {};
    digits.value = digits.value * 10 + (text[i] - '0');
    digits.fraction += point ? 1 : 0;
  }
  digits.bytes = any ? i : 0;
  return digits;
}

constexpr auto kPowersOfTen = [] {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 10 * powers[i - 1];
  return powers;
}();

// value * 2^binary * 10^decimal, rounded up; nothing beyond kLimit.
std::optional<Int128> scaled(Int128 value, Scale scale) {
  if (value == 0) return value;
  if (__builtin_mul_overflow(value, Int128{1} << scale.binary, &value)) return std::nullopt;
  const auto power = static_cast<std::size_t>(scale.decimal < 0 ? -scale.decimal : scale.decimal);
  if (scale.decimal >= 0) {
    const bool beyond =
        power >= kPowersOfTen.size() || __builtin_mul_overflow(value, kPowersOfTen[power], &value);
    if (beyond) return std::nullopt;
  } else if (power >= kPowersOfTen.size()) {
    value = 1;  // all of it is behind the last billionth
  } else {
    const bool rest = value % kPowersOfTen[power] != 0;
    value = value / kPowersOfTen[power] + (rest ? 1 : 0);
  }
  if (value > kLimit) return std::nullopt;
  return value;
}

std::string digits_of(Int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string text;
  for (Int128 rest = negative ? -value : value; rest > 0; rest /= 10) {
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  return negative ? "-" + text : text;
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const Digits digits = parse_digits(text);
  if (digits.bytes == 0) return std::nullopt;
  const std::optional<Scale> suffix = parse_suffix(text.substr(digits.bytes));
  if (!suffix) return std::nullopt;
  const auto nano = scaled(digits.value, {suffix->binary, suffix->decimal + 9 - digits.fraction});
  if (!nano) return std::nullopt;
  return Quantity{negative ? -*nano : *nano};
}

std::string to_text(Quantity quantity) {
  const Int128 nano = quantity.nano;
  if (nano % kUnit != 0) {
    if (nano % 1'000'000 == 0) return digits_of(nano / 1'000'000) + "m";
    if (nano % 1'000 == 0) return digits_of(nano / 1'000) + "u";
    return digits_of(nano) + "n";
  }
  Int128 value = nano / kUnit;
  constexpr std::array<std::string_view, 7> kBinary = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  constexpr std::array<std::string_view, 7> kDecimal = {"", "k", "M", "G", "T", "P", "E"};
  const bool binary = value != 0 && value % 1024 == 0;
  const Int128 step = binary ? 1024 : 1000;
  std::size_t power = 0;
  while (value != 0 && value % step == 0 && power + 1 < kBinary.size()) {
    value /= step;
    ++power;
  }
  return digits_of(value) + std::string(binary ? kBinary[power] : kDecimal[power]);
}

std::string ratio_text(Quantity a, Quantity b) {
  const Int128 hundredths = a.nano * 100 / b.nano;
  std::string text = digits_of(hundredths / 100);
  const int rest = static_cast<int>(hundredths % 100);
  if (rest == 0) return text;
  text += '.';
  text += static_cast<char>('0' + rest / 10);
  if (rest % 10 != 0) text += static_cast<char>('0' + rest % 10);
  return text;
}

bool exceeds_ratio(Quantity a, Quantity b, Quantity factor) {
  // a > factor * b, with factor in billionths: both sides times 10^9, split so that nothing
  // overflows.
  const Int128 whole = factor.nano / kUnit;
  const Int128 part = factor.nano % kUnit;
  Int128 right = 0;
  Int128 fraction = 0;
  if (__builtin_mul_overflow(b.nano, whole, &right)) return false;
  if (__builtin_mul_overflow(b.nano, part, &fraction)) return false;
  const Int128 rounded = fraction / kUnit;
  if (a.nano != right + rounded) return a.nano > right + rounded;
  return false;
}

}  // namespace plimsoll::policy
