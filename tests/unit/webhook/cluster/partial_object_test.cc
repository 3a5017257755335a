#include "webhook/cluster/partial_object.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/json.h"
#include "webhook/cluster/raw_json.h"

namespace plimsoll::webhook::cluster {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "a=1 b=[2,{}]", and "!" where it did not end as it should.
std::string parts_of(std::string_view text) {
  RawParts parts(text);
  RawPart part;
  std::string told;
  while (parts.next(part)) {
    if (!told.empty()) told += ' ';
    if (parts.is_object()) told += std::string(part.key) + "=";
    told += part.value;
  }
  return parts.complete() ? told : told + "!";
}

TEST(RawParts, AreCutWhereTheyEnd) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"{}", ""},
      {" [ ] ", ""},
      {R"({"a":1,"b":[2,{}]})", "a=1 b=[2,{}]"},
      {"\t{ \"a\" :\n1 , \"a\" : \"}\" }\r\n", "a=1 a=\"}\""},
      {R"([1e999,"a\"]",[["\\"]],null])", R"(1e999 "a\"]" [["\\"]] null)"},
      {"", "!"},
      {"5", "!"},
      {"{", "!"},
      {"[1", "1!"},
      {"[1,]", "1!"},
      {"[1 2]", "1!"},
      {"[1]]", "1!"},
      {"{1:2}", "!"},
      {R"({"a")", "!"},
      {R"({"a"})", "!"},
      {R"({"a":})", "!"},
      {R"({"a":[})", "a=[}!"},
      {R"(["a)", "!"},
      {R"(["a\)", "!"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parts_of(text), expected) << text;
}

TEST(RawParts, AreAsDeepAsTheyLike) {
  const std::string deep = std::string(1 << 20, '[') + std::string(1 << 20, ']');
  EXPECT_EQ(parts_of("[" + deep + "]"), deep);
}

TEST(RawMember, IsTheLastOfItsName) {
  EXPECT_EQ(raw_member(R"({"a":1,"b":2,"a":3})", "a"), "3");
  EXPECT_EQ(raw_member(R"({"a":1})", "b"), "");
  EXPECT_EQ(raw_member(R"({"a":1)", "a"), "");
  EXPECT_EQ(raw_member("[1]", ""), "");
}

TEST(PartialObject, LeavesOutWhatCannotBeReadAndSaysSo) {
  const std::string arrays = std::string(1'100, '[') + std::string(1'100, ']');
  std::string maps = "1";
  for (int depth = 0; depth < 1'100; ++depth) maps = R"({"f:a":)" + maps + "}";
  const std::string name = R"({"metadata":{"name":"n"},)";
  const struct {
    std::string text;
    std::string kept;
    std::string trouble;
  } rows[] = {
      {name + R"("spec":{"a":1}})", name + R"("spec":{"a":1}})", ""},
      {name + R"("spec":{"a":1,"x":100000000000000000000},"status":{"s":1}})",
       name + R"("status":{"s":1}})",
       "spec.x: a number that is too large"},
      {name + R"("spec":{"b":{"c":[1e400]}}})",
       R"({"metadata":{"name":"n"}})",
       "spec.b.c: a number that is too large"},
      {name + R"("spec":{"x":)" + arrays + "}}",
       R"({"metadata":{"name":"n"}})",
       "spec: nested deeper than 1,000 levels"},
      {name + R"("spec":{"a":1},"status":1e400})",
       name + R"("spec":{"a":1}})",
       "status: a number that is too large"},
      {R"({"metadata":{"name":"n","managedFields":)" + maps + R"(},"spec":{"x":)" + maps + "}}",
       R"({"metadata":{"name":"n"}})",
       "spec: nested deeper than 1,000 levels"},
      {R"({"metadata":{"name":"n","managedFields":)" + maps + R"(},"spec":{}})",
       R"({"metadata":{"name":"n"},"spec":{}})",
       ""},
  };
  for (const auto& row : rows) {
    const auto partial = read_partly(row.text);
    ASSERT_TRUE(partial) << row.trouble;
    EXPECT_EQ(partial->text, row.kept);
    EXPECT_EQ(partial->trouble, row.trouble);
  }
}

// What is kept is read by the parser whose limit is a little higher, wherever it stood.
TEST(PartialObject, CanAlwaysBeParsed) {
  for (std::size_t depth = 990; depth < 1'030; ++depth) {
    const std::string arrays = std::string(depth, '[') + std::string(depth, ']');
    const auto partial =
        read_partly(R"({"metadata":{"name":"n","x":)" + arrays + R"(},"spec":)" + arrays + "}");
    ASSERT_TRUE(partial) << depth;
    policy::json::Parser parser;
    const simdjson::padded_string padded(partial->text);
    EXPECT_EQ(parser.parse(padded).error(), simdjson::SUCCESS) << depth;
    EXPECT_EQ(partial->trouble.empty(), partial->text.find("spec") != std::string::npos) << depth;
  }
}

TEST(PartialObject, IsNoneWithoutAName) {
  for (const char* text : {"",
                           "[]",
                           "{}",
                           R"({"metadata":{"name":"n"})",
                           R"({"metadata":{"name":1e400}})",
                           R"({"metadata":{"name":""}})",
                           R"({"metadata":5,"spec":1e400})",
                           R"({"spec":1e400})"}) {
    EXPECT_FALSE(read_partly(text)) << text;
  }
}

TEST(PartialObject, TellsNamesOfStrangersOnOneLine) {
  const auto partial = read_partly("{\"metadata\":{\"name\":\"n\"},\"spec\":{\"a\nb\":1e400}}");
  ASSERT_TRUE(partial);
  EXPECT_THAT(partial->trouble, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
