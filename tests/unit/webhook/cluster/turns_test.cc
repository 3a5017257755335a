#include "webhook/cluster/turns.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::cluster {
namespace {

using std::chrono::milliseconds;

constexpr net::Clock::time_point kStart{std::chrono::hours(1)};

net::Deadline within(milliseconds time) {
  return {kStart + time};
}

TEST(Turns, AreFreeForABurstAndThenComeAtTheirRate) {
  Turns turns(10, 2, kStart);
  const net::Deadline late = within(std::chrono::minutes(1));
  EXPECT_EQ(turns.take(kStart, late), milliseconds(0));
  EXPECT_EQ(turns.take(kStart, late), milliseconds(0));
  EXPECT_EQ(turns.take(kStart, late), milliseconds(100));
  EXPECT_EQ(turns.take(kStart, late), milliseconds(200));
  EXPECT_EQ(turns.take(kStart + milliseconds(250), late), milliseconds(50));
  EXPECT_EQ(turns.take(kStart + std::chrono::seconds(30), late), milliseconds(0));
}

TEST(Turns, ThatWouldComeTooLateAreNotTaken) {
  Turns turns(10, 1, kStart);
  const net::Deadline late = within(std::chrono::minutes(1));
  EXPECT_FALSE(turns.take(kStart, within(milliseconds(0)))) << "its time is over already";
  EXPECT_EQ(turns.take(kStart, late), milliseconds(0));
  for (int times = 0; times < 10'000; ++times) {
    EXPECT_FALSE(turns.take(kStart, within(milliseconds(100))));
  }
  EXPECT_EQ(turns.take(kStart, within(milliseconds(101))), milliseconds(100)) << "owes nothing";
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
