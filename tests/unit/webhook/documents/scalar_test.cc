// How scalars are typed. The expected values were printed by sigs.k8s.io/yaml 1.4.0, which is what
// kubectl and Helm read manifests with; where numbers differ only in spelling, ours stands here.
#include "webhook/documents/scalar.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace plimsoll::webhook::documents {
namespace {

struct Row {
  std::string_view yaml;
  std::string_view json;
};

class PlainScalar : public ::testing::TestWithParam<Row> {};

TEST_P(PlainScalar, IsTypedAsKubernetesDoes) {
  const auto json = scalar_to_json(resolve_plain(GetParam().yaml));
  ASSERT_TRUE(json.has_value()) << json.error();
  EXPECT_EQ(*json, GetParam().json) << GetParam().yaml;
}

INSTANTIATE_TEST_SUITE_P(Words,
                         PlainScalar,
                         ::testing::Values(Row{"", "null"},
                                           Row{"~", "null"},
                                           Row{"null", "null"},
                                           Row{"NULL", "null"},
                                           Row{"nUll", "\"nUll\""},
                                           Row{"true", "true"},
                                           Row{"TRUE", "true"},
                                           Row{"tRue", "\"tRue\""},
                                           Row{"yes", "true"},
                                           Row{"YES", "true"},
                                           Row{"on", "true"},
                                           Row{"y", "true"},
                                           Row{"Y", "true"},
                                           Row{"off", "false"},
                                           Row{"No", "false"},
                                           Row{"n", "false"},
                                           Row{"False", "false"},
                                           Row{"Inf", "\"Inf\""},
                                           Row{"nan", "\"nan\""},
                                           Row{"=", "\"=\""},
                                           Row{"<<", "\"<<\""},
                                           Row{"v1", "\"v1\""},
                                           Row{"100m", "\"100m\""},
                                           Row{"2027-01-31", "\"2027-01-31\""},
                                           Row{"1.2.3", "\"1.2.3\""},
                                           Row{"12:30", "\"12:30\""},
                                           Row{"190:20:30", "\"190:20:30\""},
                                           Row{"+.nan", "\"+.nan\""},
                                           Row{".", "\".\""},
                                           Row{"+", "\"+\""}));

INSTANTIATE_TEST_SUITE_P(Integers,
                         PlainScalar,
                         ::testing::Values(Row{"0", "0"},
                                           Row{"-0", "0"},
                                           Row{"+0", "0"},
                                           Row{"+1", "1"},
                                           Row{"-1", "-1"},
                                           Row{"007", "7"},
                                           Row{"0777", "511"},
                                           Row{"-0777", "-511"},
                                           Row{"08", "8"},
                                           Row{"09", "9"},
                                           Row{"0o17", "15"},
                                           Row{"0O17", "15"},
                                           Row{"-0o17", "-15"},
                                           Row{"0o8", "\"0o8\""},
                                           Row{"0x1F", "31"},
                                           Row{"0X1f", "31"},
                                           Row{"+0x1F", "31"},
                                           Row{"-0xFF", "-255"},
                                           Row{"0b101", "5"},
                                           Row{"-0b_1", "-1"},
                                           Row{"0b12", "\"0b12\""},
                                           Row{"0x", "\"0x\""},
                                           Row{"1_000", "1000"},
                                           Row{"1__0", "10"},
                                           Row{"1_", "1"},
                                           Row{"_1", "\"_1\""},
                                           Row{"-_1", "-1"},
                                           Row{"0x_F", "15"},
                                           Row{"0_7", "7"},
                                           Row{"0x-1", "\"0x-1\""},
                                           Row{"1,000", "\"1,000\""},
                                           Row{"--1", "\"--1\""},
                                           Row{"9223372036854775808", "9223372036854775808"},
                                           Row{"18446744073709551615", "18446744073709551615"},
                                           Row{"-9223372036854775808", "-9223372036854775808"},
                                           Row{"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
                                           Row{"0x10000000000000000", "\"0x10000000000000000\""},
                                           Row{"-0x8000000000000001", "\"-0x8000000000000001\""},
                                           Row{"01777777777777777777777", "18446744073709551615"}));

INSTANTIATE_TEST_SUITE_P(Floats,
                         PlainScalar,
                         ::testing::Values(Row{"1.5", "1.5"},
                                           Row{"1.0", "1"},
                                           Row{"1.", "1"},
                                           Row{".5", "0.5"},
                                           Row{"-.5", "-0.5"},
                                           Row{"1.10", "1.1"},
                                           Row{"1e3", "1000"},
                                           Row{"1E3", "1000"},
                                           Row{"1e+3", "1000"},
                                           Row{"1.e5", "100000"},
                                           Row{"1e-3", "0.001"},
                                           Row{"1e", "\"1e\""},
                                           Row{"1e+", "\"1e+\""},
                                           Row{"e3", "\"e3\""},
                                           Row{"1_000.5", "1000.5"},
                                           Row{"1_.5", "1.5"},
                                           Row{"._5", "\"._5\""},
                                           Row{"685_230.15", "685230.15"},
                                           Row{"1e400", "\"1e400\""},
                                           Row{"1e-400", "0"},
                                           Row{"0x1p3", "\"0x1p3\""},
                                           Row{"18446744073709551616", "1.8446744073709552e+19"},
                                           Row{"-9223372036854775809", "-9.223372036854776e+18"},
                                           Row{"01.5", "1.5"},
                                           Row{"0777777777777777777777777",
                                               "7.777777777777778e+23"}));

TEST(Scalar, WhatJsonCannotSayIsAnError) {
  for (const std::string_view text : {".inf", "-.inf", "+.Inf", ".nan", ".NaN"}) {
    const auto json = scalar_to_json(resolve_plain(text));
    ASSERT_FALSE(json.has_value()) << text;
    EXPECT_NE(json.error().find("put it in quotes"), std::string::npos);
  }
}

TEST(Scalar, TagsAndQuotesDecide) {
  const auto json_of = [](std::string_view tag, std::string_view text) -> std::string {
    const auto scalar = resolve_scalar(tag, text);
    return scalar ? scalar_to_json(*scalar).value_or("error") : "error";
  };
  static constexpr std::string_view kTag = "tag:yaml.org,2002:";
  const auto tagged = [](std::string_view name) { return std::string(kTag) + std::string(name); };
  EXPECT_EQ(json_of("!", "yes"), "\"yes\"");
  EXPECT_EQ(json_of("!foo", "1"), "\"1\"");
  EXPECT_EQ(json_of(tagged("str"), "1"), "\"1\"");
  EXPECT_EQ(json_of(tagged("str"), "~"), "\"~\"");
  EXPECT_EQ(json_of(tagged("int"), "010"), "8");
  EXPECT_EQ(json_of(tagged("int"), "abc"), "error");
  EXPECT_EQ(json_of(tagged("int"), "1.5"), "error");
  EXPECT_EQ(json_of(tagged("float"), "1"), "1");
  EXPECT_EQ(json_of(tagged("float"), "x"), "error");
  EXPECT_EQ(json_of(tagged("bool"), "yes"), "true");
  EXPECT_EQ(json_of(tagged("bool"), "1"), "error");
  EXPECT_EQ(json_of(tagged("null"), ""), "null");
  EXPECT_EQ(json_of(tagged("null"), "x"), "error");
  EXPECT_EQ(json_of(tagged("timestamp"), "2027-01-31"), "\"2027-01-31\"");
  EXPECT_EQ(json_of(tagged("binary"), "aGVsbG8="), "error");
}

TEST(Scalar, KeysBecomeText) {
  const auto key_of = [](std::string_view text) {
    return scalar_to_key(resolve_plain(text), text).value_or("error");
  };
  EXPECT_EQ(key_of("1"), "1");
  EXPECT_EQ(key_of("0x10"), "16");
  EXPECT_EQ(key_of("on"), "true");
  EXPECT_EQ(key_of("1.5"), "1.5");
  EXPECT_EQ(key_of(".inf"), ".inf");
  EXPECT_EQ(key_of("app"), "app");
  EXPECT_EQ(key_of("~"), "error");
}

TEST(Scalar, JsonStringsAreEscaped) {
  std::string json;
  append_json_string(json, std::string_view("a\"\\\n\t\x1b\0\xc3\xa9", 9));
  EXPECT_EQ(json, "\"a\\\"\\\\\\n\\u0009\\u001b\\u0000\xc3\xa9\"");
}

}  // namespace
}  // namespace plimsoll::webhook::documents
