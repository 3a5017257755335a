#include "webhook/cluster/reflector.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::cluster {
namespace {

using std::chrono::seconds;

struct Listed {
  seconds at;
  unsigned status;
  bool gone;
};

TEST(Absence, IsNeitherAStartNorAFailure) {
  const std::vector<std::vector<Listed>> rows = {
      {{seconds(0), 404, false}, {seconds(1), 404, false}, {seconds(2), 404, false}},
      {{seconds(0), 404, false}, {seconds(60), 404, false}, {seconds(61), 404, true}},
      {{seconds(0), 404, false},
       {seconds(3), 404, false},
       {seconds(9), 404, false},
       {seconds(10), 404, true},
       {seconds(40), 404, true},
       {seconds(41), 200, false},
       {seconds(60), 404, false},
       {seconds(61), 404, false}},
      {{seconds(0), 404, false},
       {seconds(20), 404, false},
       {seconds(30), 0, false},
       {seconds(40), 404, false},
       {seconds(41), 404, false},
       {seconds(42), 404, false}},
      {{seconds(0), 500, false}, {seconds(20), 403, false}, {seconds(40), 500, false}},
  };
  const net::Clock::time_point start = net::Clock::now();
  for (const auto& row : rows) {
    Absence absence{seconds(10)};
    for (const auto& [at, status, gone] : row) {
      EXPECT_EQ(absence.note(status, start + at), gone) << at.count() << " s: " << status;
    }
  }
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
