#include "webhook/admission/body_budget.h"

namespace plimsoll::webhook::admission {

std::uint64_t cost_of_body(std::string_view body) {
  // Blocks small enough for a byte counter, so that the compiler can compare many bytes at once.
  constexpr std::size_t kBlock = 192;
  std::uint64_t structurals = 0;
  for (std::size_t start = 0; start < body.size(); start += kBlock) {
    const std::string_view block = body.substr(start, kBlock);
    std::uint8_t count = 0;
    for (const char c : block) {
      // '{' and '[' differ by 0x20, as do '}' and ']'; ',' and ':' stand alone.
      const char folded = static_cast<char>(c | 0x20);
      count = static_cast<std::uint8_t>(
          count + ((folded == '{') | (folded == '}') | (c == ',') | (c == ':')));
    }
    structurals += count;
  }
  return body.size() + kBytesPerStructural * structurals;
}

bool BodyBudget::take(std::uint64_t bytes) {
  std::uint64_t used = used_.load();
  do {
    if (bytes > limit_ || used > limit_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

}  // namespace plimsoll::webhook::admission
