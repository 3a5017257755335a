#include "policy/quantity.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

TEST(Quantity, ReadsWhatKubernetesReads) {
  const struct {
    const char* text;
    const char* nano;  // of the value in billionths
  } rows[] = {
      {"0", "0"},
      {"1", "1000000000"},
      {"100m", "100000000"},
      {"1.5", "1500000000"},
      {".5", "500000000"},
      {"5.", "5000000000"},
      {"1u", "1000"},
      {"1n", "1"},
      {"1k", "1000000000000"},
      {"1Ki", "1024000000000"},
      {"1.5Gi", "1610612736000000000"},
      {"2e3", "2000000000000"},
      {"2E3", "2000000000000"},
      {"1e-3", "1000000"},
      {"+1", "1000000000"},
      {"-1", "-1000000000"},
      {"0.1n", "1"},  // finer than a billionth: rounded up
      {"1E", "1000000000000000000000000000"},
      {"1Ei", "1152921504606846976000000000"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto quantity = parse_quantity(row.text);
    ASSERT_TRUE(quantity);
    const std::string text = row.nano;
    Int128 expected = 0;
    for (const char c : text) {
      if (c != '-') expected = expected * 10 + (c - '0');
    }
    EXPECT_TRUE(quantity->nano == (text[0] == '-' ? -expected : expected));
  }
}

TEST(Quantity, RefusesTheRest) {
  for (const char* text : {"",      " ",
                           "-",     ".",
                           "m",     "Gi",
                           "1 Gi",  "1gi",
                           "1KI",   "1K",
                           "1Mib",  "1,5",
                           "1e",    "1e+",
                           "e3",    "1ee3",
                           "1.2.3", "0x10",
                           "NaN",   "inf",
                           "1Gi ",  "--1",
                           "10Ei",  "1e999",
                           "1e99",  "99999999999999999999999999999999999999"}) {
    EXPECT_FALSE(parse_quantity(text)) << text;
  }
  EXPECT_FALSE(parse_quantity(std::string(100000, '9')));
}

TEST(Quantity, WritesTheShortestExactForm) {
  for (const char* text : {"0", "250m", "3", "1536Mi", "1Gi", "500M", "1k", "7u", "9n", "-2"}) {
    const auto quantity = parse_quantity(text);
    ASSERT_TRUE(quantity) << text;
    EXPECT_EQ(to_text(*quantity), text);
  }
}

TEST(Quantity, ComparesExactly) {
  EXPECT_EQ(*parse_quantity("1Gi"), *parse_quantity("1024Mi"));
  EXPECT_GT(*parse_quantity("1Gi"), *parse_quantity("1G"));
  EXPECT_LT(*parse_quantity("999m"), *parse_quantity("1"));
}

TEST(Quantity, Ratios) {
  const auto q = [](const char* text) { return *parse_quantity(text); };
  EXPECT_TRUE(exceeds_ratio(q("3"), q("1"), q("2")));
  EXPECT_FALSE(exceeds_ratio(q("2"), q("1"), q("2")));
  EXPECT_TRUE(exceeds_ratio(q("1501m"), q("1"), q("1.5")));
  EXPECT_FALSE(exceeds_ratio(q("1500m"), q("1"), q("1.5")));
  EXPECT_FALSE(exceeds_ratio(q("8Ei"), q("4Ei"), q("2")));
  EXPECT_EQ(ratio_text(q("5"), q("2")), "2.5");
  EXPECT_EQ(ratio_text(q("1"), q("3")), "0.33");
  EXPECT_EQ(ratio_text(q("4"), q("2")), "2");
}

}  // namespace
}  // namespace plimsoll::policy
