#include "policy/dates.h"

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

using namespace std::chrono_literals;

TEST(Dates, ReadsAndWritesDays) {
  for (const char* text : {"2027-01-31", "2024-02-29", "2000-01-01", "0001-01-01", "9999-12-31"}) {
    const auto day = parse_date(text);
    ASSERT_TRUE(day) << text;
    EXPECT_EQ(date_text(*day), text);
  }
  for (const char* text : {"",
                           "2027-1-31",
                           "2027-02-29",
                           "2027-13-01",
                           "2027-00-01",
                           "2027-01-32",
                           "27-01-01",
                           "2027/01/01",
                           "2027-01-01Z",
                           " 2027-01-01",
                           "20270101"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(Dates, ReadsTimes) {
  const struct {
    const char* text;
    const char* time;
  } rows[] = {
      {"2026-08-20T05:58:00Z", "2026-08-20T05:58:00Z"},
      {"2026-08-20t05:58:00z", "2026-08-20T05:58:00Z"},
      {"2026-08-20 05:58:00Z", "2026-08-20T05:58:00Z"},
      {"2026-08-20T05:58:00.123456789Z", "2026-08-20T05:58:00Z"},
      {"2026-08-20T07:58:00+02:00", "2026-08-20T05:58:00Z"},
      {"2026-08-20T00:28:00-05:30", "2026-08-20T05:58:00Z"},
      {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {"1980-01-01T00:00:01Z", "1980-01-01T00:00:01Z"},
  };
  for (const auto& row : rows) {
    const auto time = parse_time(row.text);
    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(time_text(*time), row.time);
  }
}

TEST(Dates, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "2026-08-20",
                           "2026-08-20T05:58:00",
                           "2026-08-20T24:00:00Z",
                           "2026-08-20T05:60:00Z",
                           "2026-08-20T05:58:61Z",
                           "2026-08-20T05:58:00.Z",
                           "2026-08-20T05:58:00+0200",
                           "2026-08-20T05:58:00ZZ",
                           "2026-08-20X05:58:00Z",
                           "yesterday"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Dates, ReadsSpans) {
  const struct {
    const char* text;
    std::chrono::seconds span;
  } rows[] = {
      {"30d", 720h},
      {"168h", 168h},
      {"1d12h", 36h},
      {"90m", 90min},
      {"45s", 45s},
      {"1d2h3m4s", 93784s},
  };
  for (const auto& row : rows) EXPECT_EQ(parse_time_span(row.text), row.span) << row.text;
  for (const char* text : {"",
                           "d",
                           "30",
                           "-1d",
                           "+1d",
                           "1.5h",
                           "1h1d",
                           "1d1d",
                           "1w",
                           "1 d",
                           "1d ",
                           "101y",
                           "99999999999999999999d",
                           "40000d"}) {
    EXPECT_FALSE(parse_time_span(text)) << text;
  }
}

TEST(Dates, WritesSpansInTheLargestUnitThatFits) {
  const struct {
    std::chrono::seconds span;
    const char* text;
  } rows[] = {
      {528h, "22 days"},
      {47h, "1 day"},
      {3h, "3 hours"},
      {60s, "1 minute"},
      {59s, "59 seconds"},
      {0s, "0 seconds"},
  };
  for (const auto& row : rows) EXPECT_EQ(time_span_text(row.span), row.text);
}

}  // namespace
}  // namespace plimsoll::policy
