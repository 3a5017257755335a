#include "webhook/admission/body_budget.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace plimsoll::webhook::admission {
namespace {

TEST(BodyBudget, CountsLengthAndStructuralCharacters) {
  EXPECT_EQ(cost_of_body(""), 0U);
  EXPECT_EQ(cost_of_body("abc"), 3U);
  EXPECT_EQ(cost_of_body("{}"), 2U + 2 * kBytesPerStructural);
  EXPECT_EQ(cost_of_body(R"({"a":[1,2]})"), 11U + 6 * kBytesPerStructural);
  // Those in strings count, too: an upper bound.
  EXPECT_EQ(cost_of_body(R"("[,]")"), 5U + 3 * kBytesPerStructural);
}

TEST(BodyBudget, CountsNoOtherByteAtAnyPlaceOfABlock) {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const bool structural = std::string_view("{}[],:").find(c) != std::string_view::npos;
    for (const std::size_t length : {1U, 191U, 192U, 193U, 1000U}) {
      const std::uint64_t each = structural ? 1 + kBytesPerStructural : 1;
      EXPECT_EQ(cost_of_body(std::string(length, c)), length * each) << value << " x " << length;
    }
  }
}

TEST(BodyBudget, GivesUpToItsLimitAndTakesBack) {
  BodyBudget budget(100);
  EXPECT_TRUE(budget.take(0));
  EXPECT_TRUE(budget.take(60));
  EXPECT_FALSE(budget.take(41));
  EXPECT_TRUE(budget.take(40));
  EXPECT_TRUE(budget.take(0));
  EXPECT_FALSE(budget.take(1));
  EXPECT_EQ(budget.used(), 100U);
  budget.give_back(60);
  EXPECT_TRUE(budget.take(60));
  EXPECT_FALSE(budget.take(~std::uint64_t{0}));
  EXPECT_EQ(budget.used(), 100U);
}

TEST(BodyBudget, IsNeverOverdrawnByThreads) {
  BodyBudget budget(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&budget] {
      for (int turn = 0; turn < 20'000; ++turn) {
        if (!budget.take(300)) continue;
        EXPECT_LE(budget.used(), budget.limit());
        budget.give_back(300);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace plimsoll::webhook::admission
