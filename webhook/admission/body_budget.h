// How much memory all reviews together may take: bodies, and what parsing makes of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace plimsoll::webhook::admission {

inline constexpr std::uint64_t kBytesPerStructural = 16;  // of parsed JSON, for each of { } [ ] , :

// What a body costs while it is judged: its length, and kBytesPerStructural for each structural
// character (those inside strings count, too: it is an upper bound, found in one pass).
std::uint64_t cost_of_body(std::string_view body);

// Safe to use from any thread.
class BodyBudget {
 public:
  explicit BodyBudget(std::uint64_t limit) : limit_(limit) {}

  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_ -= bytes; }

  std::uint64_t limit() const { return limit_; }
  std::uint64_t used() const { return used_; }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace plimsoll::webhook::admission
