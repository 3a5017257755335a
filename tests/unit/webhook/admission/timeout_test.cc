#include "webhook/admission/timeout.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::admission {
namespace {

TEST(Timeout, ReadsDurationsAsGoWritesThem) {
  const struct {
    std::string_view text;
    std::int64_t millis;  // -1: not a duration
  } rows[] = {
      {"10s", 10'000},
      {"1m30s", 90'000},
      {"1h", 3'600'000},
      {"1500ms", 1500},
      {"1.5s", 1500},
      {".5s", 500},
      {"5.s", 5000},
      {"2s500ms", 2500},
      {"1000000us", 1000},
      {"1000000\xC2\xB5s", 1000},
      {"1000000000ns", 1000},
      {"0s", 0},
      {"0.0004s", 0},
      {"", -1},
      {"10", -1},
      {"s", -1},
      {".s", -1},
      {"1..5s", -1},
      {"-5s", -1},
      {"5 s", -1},
      {"5S", -1},
      {"5sx", -1},
      {"1e3s", -1},
      {"0x5s", -1},
      {"inf", -1},
      {"5s ", -1},
  };
  for (const auto& row : rows) {
    const auto time = parse_duration(row.text);
    EXPECT_EQ(time ? time->count() : -1, row.millis) << row.text;
  }
}

TEST(Timeout, HugeNumbersStayFinite) {
  for (const std::string& text : {std::string(1000, '9') + "h",
                                  "0." + std::string(1000, '9') + "s",
                                  std::string("99999999999999999999999h1ns")}) {
    const auto time = parse_duration(text);
    ASSERT_TRUE(time) << text;
    EXPECT_GE(time->count(), 0);
    EXPECT_LE(time->count(), 1'000'000'000);
  }
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "999999h";
  EXPECT_EQ(timeout_of_query("timeout=" + many), kMostTimeout);
}

TEST(Timeout, IsTakenFromTheQueryAndNeverAnError) {
  const struct {
    std::string_view query;
    std::int64_t millis;
  } rows[] = {
      {"", 10'000},
      {"timeout=7s", 7000},
      {"timeout=1m", 30'000},
      {"timeout=1e9h", 10'000},
      {"timeout=1000000000h", 30'000},
      {"timeout=1ms", 1000},
      {"timeout=0s", 10'000},
      {"timeout=-3s", 10'000},
      {"timeout=", 10'000},
      {"timeout", 10'000},
      {"timeout=garbage", 10'000},
      {"timeout=5s&timeout=9s", 5000},
      {"a=b&timeout=5s", 5000},
      {"&&timeout=5s&", 5000},
      {"xtimeout=5s", 10'000},
      {"Timeout=5s", 10'000},
      {"timeout=%35s", 10'000},
      {"&", 10'000},
      {"====", 10'000},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(timeout_of_query(row.query).count(), row.millis) << row.query;
  }
}

TEST(Timeout, LeavesTheApiServerItsSecondAndUsAtLeast300Milliseconds) {
  using std::chrono::milliseconds;
  EXPECT_EQ(time_to_answer(milliseconds(10'000)), milliseconds(9000));
  EXPECT_EQ(time_to_answer(milliseconds(30'000)), milliseconds(29'000));
  EXPECT_EQ(time_to_answer(milliseconds(1300)), milliseconds(300));
  EXPECT_EQ(time_to_answer(milliseconds(1000)), milliseconds(300));
}

}  // namespace
}  // namespace plimsoll::webhook::admission
