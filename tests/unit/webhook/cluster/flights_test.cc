#include "webhook/cluster/flights.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::cluster {
namespace {

TEST(Flights, AskOnceForEachKeyAndForSoManyAtMost) {
  Flights flights(2);
  int ready = 0;
  const auto count = [&ready] { ++ready; };
  EXPECT_EQ(flights.join("a", count), Boarding::kFirst);
  EXPECT_EQ(flights.join("b", count), Boarding::kFirst);
  EXPECT_EQ(flights.join("c", count), Boarding::kFull);
  EXPECT_EQ(flights.join("a", count), Boarding::kAnother) << "it is asked for all the same";
  EXPECT_EQ(ready, 0);
  flights.land("c");
  EXPECT_EQ(ready, 0) << "who was turned away is not kept";
  flights.land("a");
  EXPECT_EQ(ready, 2);
  EXPECT_EQ(flights.join("c", count), Boarding::kFirst) << "there is room again";
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
