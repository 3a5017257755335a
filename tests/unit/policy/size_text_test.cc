#include "policy/size_text.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

constexpr std::uint64_t kMi = 1u << 20U;

Quantity q(std::string_view text) {
  return parse_quantity(text).value_or(Quantity{});
}

TEST(SizeText, KnowsTheUnitsOfALimit) {
  for (const char* text : {"500Mi", "1Gi", "1.5Gi", "1000", "0", ""}) {
    EXPECT_EQ(units_of(text), SizeUnits::kBinary) << text;
  }
  for (const char* text : {"500M", "1G", "950k", "2e9", "2E9", "1E"}) {
    EXPECT_EQ(units_of(text), SizeUnits::kDecimal) << text;
  }
}

TEST(SizeText, SizesHaveThreeDigitsOrAreWhole) {
  const struct {
    std::uint64_t bytes;
    SizeUnits units;
    const char* text;
  } rows[] = {
      {0, SizeUnits::kBinary, "0 bytes"},
      {1, SizeUnits::kBinary, "1 byte"},
      {17, SizeUnits::kBinary, "17 bytes"},
      {1023, SizeUnits::kBinary, "1023 bytes"},
      {1024, SizeUnits::kBinary, "1 KiB"},
      {1000, SizeUnits::kDecimal, "1 kB"},
      {912 * kMi, SizeUnits::kBinary, "912 MiB"},
      {912 * kMi, SizeUnits::kDecimal, "956 MB"},
      {1536 * kMi, SizeUnits::kBinary, "1.5 GiB"},
      {950'000'000, SizeUnits::kDecimal, "950 MB"},
      {12'345'678, SizeUnits::kDecimal, "12.3 MB"},
      {1'234'567, SizeUnits::kDecimal, "1.23 MB"},
      {std::uint64_t{1} << 53U, SizeUnits::kBinary, "8192 TiB"},
      {~std::uint64_t{0}, SizeUnits::kBinary, "16777216 TiB"},
  };
  for (const auto& row : rows) EXPECT_EQ(size_text(row.bytes, row.units), row.text);
}

TEST(SizeText, LimitsAreExactInTheirUnits) {
  const struct {
    const char* written;
    const char* text;
  } rows[] = {
      {"500Mi", "500 MiB"},
      {"1Gi", "1 GiB"},
      {"1.5Gi", "1.5 GiB"},
      {"950M", "950 MB"},
      {"2e9", "2 GB"},
      {"1000", "1000 bytes"},
      {"1048577", "1048577 bytes"},
      {"0", "0 bytes"},
      {"1.0001Gi", "1073849199 bytes"},
  };
  for (const auto& row : rows) EXPECT_EQ(limit_text(row.written, q(row.written)), row.text);
}

TEST(SizeText, WhatIsAboveALimitLooksLarger) {
  const struct {
    std::uint64_t bytes;
    const char* limit;
    const char* text;
  } rows[] = {
      {912 * kMi, "500Mi", "912 MiB"},
      {500 * kMi + 1, "500Mi", "524288001 bytes"},
      {500 * kMi + kMi / 100, "500Mi", "500.01 MiB"},
      {501 * kMi, "500Mi", "501 MiB"},
      {950'000'001, "950M", "950000001 bytes"},
      {951'000'000, "950M", "951 MB"},
      {1, "0", "1 byte"},
      {1073849201, "1.0001Gi", "1073849201 bytes"},
      {1025 * kMi, "1023Mi", "1 GiB"},
  };
  for (const auto& row : rows) {
    const std::string text = size_above(row.bytes, row.limit, q(row.limit));
    EXPECT_EQ(text, row.text);
    EXPECT_NE(text, limit_text(row.limit, q(row.limit)));
  }
}

TEST(SizeText, ComparesExactly) {
  EXPECT_FALSE(exceeds(500 * kMi, q("500Mi")));
  EXPECT_TRUE(exceeds(500 * kMi + 1, q("500Mi")));
  EXPECT_FALSE(exceeds(500'000'000, q("500M")));
  EXPECT_TRUE(exceeds(500'000'001, q("500M")));
  EXPECT_FALSE(exceeds(std::uint64_t{1} << 53U, q("8Pi")));
  EXPECT_TRUE(exceeds((std::uint64_t{1} << 53U) + 1, q("8Pi")));
  EXPECT_FALSE(exceeds(0, q("0")));
  EXPECT_TRUE(exceeds(1, q("0.5")));
}

TEST(SizeText, CostsAreRoundedUp) {
  const struct {
    std::uint64_t bytes;
    const char* price;
    const char* text;
  } rows[] = {
      {950'000'000, "0.09", "$0.086"},
      {1'000'000'000, "0.09", "$0.09"},
      {1'000'000'001, "0.09", "$0.091"},
      {14'000'000'000, "0.09", "$1.26"},
      {14'000'000'001, "0.09", "$1.27"},
      {100'000, "0.09", "$0.000009"},
      {10'000'000'000, "0.01", "$0.10"},
      {100'000'000'000, "0.01", "$1.00"},
      {0, "0.09", "$0.00"},
  };
  for (const auto& row : rows) EXPECT_EQ(cost_text(pull_cost(row.bytes, q(row.price))), row.text);
}

TEST(SizeText, NoPriceIsTooHigh) {
  EXPECT_GT(pull_cost(~std::uint64_t{0}, q("9e18")), q("1e9"));
}

}  // namespace
}  // namespace plimsoll::policy
