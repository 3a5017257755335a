#include "policy/size_text.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/ascii.h"

namespace plimsoll::policy {
namespace {

constexpr Int128 kNano = 1'000'000'000;

struct Unit {
  std::string_view name;
  Int128 bytes;
};
constexpr std::array<Unit, 4> kBinaryUnits = {{
    {"TiB", Int128{1} << 40U},
    {"GiB", Int128{1} << 30U},
    {"MiB", Int128{1} << 20U},
    {"KiB", Int128{1} << 10U},
}};
constexpr std::array<Unit, 4> kDecimalUnits = {{
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"kB", 1'000},
}};

std::string digits_of(Int128 value) {
  std::string text;
  do {
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value > 0);
  return text;
}

// value / unit with `decimals` digits after the point, rounded half up; without trailing zeros.
std::string decimal(Int128 value, Int128 unit, unsigned decimals) {
  Int128 scale = 1;
  for (unsigned i = 0; i < decimals; ++i) scale *= 10;
  const Int128 rounded = (value * scale + unit / 2) / unit;
  std::string text = digits_of(rounded / scale);
  std::string fraction = digits_of(rounded % scale);
  fraction.insert(0, decimals - std::min<std::size_t>(decimals, fraction.size()), '0');
  while (fraction.ends_with('0')) fraction.pop_back();
  return decimals == 0 || fraction.empty() ? text : text + "." + fraction;
}

// The largest unit of which there is at least one; nullptr for bytes.
const Unit* unit_for(Int128 bytes, SizeUnits units) {
  for (const Unit& unit : units == SizeUnits::kBinary ? kBinaryUnits : kDecimalUnits) {
    if (bytes >= unit.bytes) return &unit;
  }
  return nullptr;
}

std::string bytes_text(Int128 bytes) {
  return digits_of(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string in_unit(Int128 bytes, const Unit& unit, unsigned decimals) {
  return decimal(bytes, unit.bytes, decimals) + " " + std::string(unit.name);
}

}  // namespace

SizeUnits units_of(std::string_view written) {
  if (written.ends_with('i')) return SizeUnits::kBinary;
  const bool plain = written.find_first_not_of("+-.0123456789") == std::string_view::npos;
  return plain ? SizeUnits::kBinary : SizeUnits::kDecimal;
}

std::string size_text(std::uint64_t bytes, SizeUnits units) {
  const Unit* unit = unit_for(bytes, units);
  if (unit == nullptr) return bytes_text(bytes);
  const Int128 whole = bytes / unit->bytes;
  return in_unit(bytes, *unit, whole >= 100 ? 0 : (whole >= 10 ? 1 : 2));
}

std::string limit_text(std::string_view written, Quantity value) {
  const Int128 bytes = (value.nano + kNano - 1) / kNano;
  const Unit* unit = unit_for(bytes, units_of(written));
  if (unit == nullptr) return bytes_text(bytes);
  constexpr unsigned kDecimals = 3;
  const std::string text = in_unit(bytes, *unit, kDecimals);
  const bool exact = bytes * 1000 % unit->bytes == 0;
  return exact ? text : bytes_text(bytes);
}

std::string size_above(std::uint64_t bytes, std::string_view written, Quantity limit) {
  const std::string of_limit = limit_text(written, limit);
  const Int128 limit_bytes = (limit.nano + kNano - 1) / kNano;
  std::string rounded = size_text(bytes, units_of(written));
  const Unit* unit = unit_for(bytes, units_of(written));
  if (unit == nullptr) return bytes_text(bytes);
  // Far enough apart, three digits will do; else as many as it takes.
  if (rounded != of_limit && Int128{bytes} * 100 >= limit_bytes * 101) return rounded;
  constexpr unsigned kMostDecimals = 4;
  for (unsigned decimals = 1; decimals <= kMostDecimals; ++decimals) {
    Int128 scale = 1;
    for (unsigned i = 0; i < decimals; ++i) scale *= 10;
    const Int128 shown = (Int128{bytes} * scale + unit->bytes / 2) / unit->bytes;
    if (shown * unit->bytes > limit_bytes * scale) return in_unit(bytes, *unit, decimals);
  }
  return bytes_text(bytes);
}

bool exceeds(std::uint64_t bytes, Quantity limit) {
  return Int128{bytes} * kNano > limit.nano;
}

// price.nano billionths per 10^9 bytes.
Quantity pull_cost(std::uint64_t bytes, Quantity price_per_gb) {
  constexpr Int128 kMost = ~(Int128{1} << 127U) - kNano;
  Int128 product = 0;
  if (__builtin_mul_overflow(Int128{bytes}, price_per_gb.nano, &product)) product = kMost;
  return {(std::min(product, kMost) + kNano - 1) / kNano};
}

std::string cost_text(Quantity cost) {
  const auto rounded_up = [&cost](unsigned decimals) {
    Int128 step = kNano;
    for (unsigned i = 0; i < decimals; ++i) step /= 10;
    return Quantity{(cost.nano + step - 1) / step * step};
  };
  unsigned decimals = 2;
  Int128 floor = kNano / 10;  // below 0.1 two significant digits need more decimals
  while (cost.nano > 0 && cost.nano < floor && decimals < 8) {
    ++decimals;
    floor /= 10;
  }
  std::string text = decimal(rounded_up(decimals).nano, kNano, decimals);
  const std::size_t point = text.find('.');
  if (point == std::string::npos) {
    text += ".00";
  } else if (text.size() - point == 2) {
    text += '0';
  }
  return "$" + text;
}

}  // namespace plimsoll::policy
