#include "webhook/admission/timeout.h"

#include <algorithm>
#include <array>

namespace plimsoll::webhook::admission {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view text;
  double millis;
};

// Longer units first where one begins with another.
constexpr std::array<Unit, 7> kUnits = {{{"ns", 1e-6},
                                         {"us", 1e-3},
                                         {"\xC2\xB5s", 1e-3},
                                         {"ms", 1},
                                         {"s", 1e3},
                                         {"m", 6e4},
                                         {"h", 3.6e6}}};

constexpr double kMostMillis = 1e9;

// Takes "12.5" off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  double place = 1;
  bool any = false;
  bool point = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      place = point ? place / 10 : place;
      value = point ? value + (c - '0') * place : value * 10 + (c - '0');
    } else {
      break;
    }
    text.remove_prefix(1);
    value = std::min(value, kMostMillis);
  }
  if (!any) return std::nullopt;
  return value;
}

std::optional<double> take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.text)) continue;
    text.remove_prefix(unit.text.size());
    return unit.millis;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    const std::optional<double> unit = number ? take_unit(text) : std::nullopt;
    if (!unit) return std::nullopt;
    total = std::min(total + *number * *unit, kMostMillis);
  }
  return milliseconds(static_cast<std::int64_t>(total));
}

milliseconds timeout_of_query(std::string_view query) {
  constexpr std::string_view kKey = "timeout=";
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!pair.starts_with(kKey)) continue;
    const std::optional<milliseconds> timeout = parse_duration(pair.substr(kKey.size()));
    if (!timeout || timeout->count() == 0) return kDefaultTimeout;
    return std::clamp(*timeout, kLeastTimeout, kMostTimeout);
  }
  return kDefaultTimeout;
}

milliseconds time_to_answer(milliseconds timeout) {
  return std::max(timeout - kReserve, kLeastTime);
}

}  // namespace plimsoll::webhook::admission
