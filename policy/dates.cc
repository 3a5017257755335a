#include "policy/dates.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "policy/ascii.h"

namespace plimsoll::policy {
namespace {

constexpr std::chrono::seconds kMostSpan = std::chrono::years(100);

// True if `text` has the shape, where 'd' stands for a digit.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// Minutes east of UTC of "Z", "+02:00", "-0530"; nothing for anything else.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  if (!has_shape(text, "+dd:dd") && !has_shape(text, "-dd:dd")) return std::nullopt;
  const int minutes = number(text.substr(1, 2)) * 60 + number(text.substr(4, 2));
  return std::chrono::minutes(text[0] == '-' ? -minutes : minutes);
}

struct Unit {
  std::string_view letter;
  std::string_view word;
  std::int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits = {
    {{"d", "day", 86'400}, {"h", "hour", 3'600}, {"m", "minute", 60}, {"s", "second", 1}}};

}  // namespace

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
  if (!has_shape(text, "dddd-dd-dd")) return std::nullopt;
  const auto month = static_cast<unsigned>(number(text.substr(5, 2)));
  const auto day = static_cast<unsigned>(number(text.substr(8, 2)));
  const std::chrono::year_month_day date{std::chrono::year(number(text.substr(0, 4))),
                                         std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::string date_text(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  std::string text = std::to_string(static_cast<int>(date.year()));
  while (text.size() < 4) text.insert(0, 1, '0');
  for (const unsigned part :
       {static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())}) {
    text += part < 10 ? "-0" : "-";
    text += std::to_string(part);
  }
  return text;
}

std::optional<std::chrono::sys_seconds> parse_time(std::string_view text) {
  constexpr std::size_t kDateBytes = 10;
  constexpr std::size_t kTimeBytes = 19;
  if (text.size() <= kTimeBytes) return std::nullopt;
  const auto day = parse_date(text.substr(0, kDateBytes));
  const char between = text[kDateBytes];
  if (!day || (between != 'T' && between != 't' && between != ' ')) return std::nullopt;
  const std::string_view clock = text.substr(kDateBytes + 1, kTimeBytes - kDateBytes - 1);
  if (!has_shape(clock, "dd:dd:dd")) return std::nullopt;
  const int hour = number(clock.substr(0, 2));
  const int minute = number(clock.substr(3, 2));
  const int second = number(clock.substr(6, 2));
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::string_view rest = text.substr(kTimeBytes);
  if (rest.front() == '.') {
    rest.remove_prefix(1);
    if (rest.empty() || !is_digit(rest.front())) return std::nullopt;
    while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
  }
  const auto offset = parse_offset(rest);
  if (!offset) return std::nullopt;
  return *day + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) - *offset;
}

std::string time_text(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 32> text{};
  std::snprintf(text.data(),
                text.size(),
                "T%02d:%02d:%02dZ",
                static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return date_text(day) + text.data();
}

std::optional<std::chrono::seconds> parse_time_span(std::string_view text) {
  std::chrono::seconds span{0};
  std::size_t next_unit = 0;  // units come in descending order, each once
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (read.ec != std::errc() || !is_digit(text.front())) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    while (next_unit < kUnits.size() && !text.starts_with(kUnits[next_unit].letter)) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    std::int64_t seconds = 0;
    if (__builtin_mul_overflow(count, kUnits[next_unit].seconds, &seconds)) return std::nullopt;
    if (seconds > kMostSpan.count()) return std::nullopt;
    span += std::chrono::seconds(seconds);
    text.remove_prefix(1);
    ++next_unit;
  }
  if (span > kMostSpan) return std::nullopt;
  return span;
}

std::string time_span_text(std::chrono::seconds span) {
  for (const Unit& unit : kUnits) {
    const std::int64_t count = span.count() / unit.seconds;
    if (count == 0 && unit.seconds > 1) continue;
    return std::to_string(count) + " " + std::string(unit.word) + (count == 1 ? "" : "s");
  }
  return "0 seconds";
}

}  // namespace plimsoll::policy
