// Whole files: streams, positions, aliases, merges, limits, and what is refused.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "policy/json.h"
#include "webhook/documents/document.h"

namespace plimsoll::webhook::documents {
namespace {

std::string json_of(std::string_view text) {
  const DocumentStream stream = read_documents(text);
  if (!stream.problems.empty()) return "problem: " + stream.problems.front().message;
  if (stream.documents.size() != 1) return std::to_string(stream.documents.size()) + " documents";
  return stream.documents.front().json;
}

std::string place(Position position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

struct Row {
  std::string_view yaml;
  std::string_view json;
};

class YamlToJson : public ::testing::TestWithParam<Row> {};

TEST_P(YamlToJson, SaysWhatKubectlWouldSend) {
  const std::string json = json_of(GetParam().yaml);
  EXPECT_EQ(json, GetParam().json) << GetParam().yaml;
}

// As sigs.k8s.io/yaml 1.4.0 has it, but for the order of the keys.
INSTANTIATE_TEST_SUITE_P(
    Documents,
    YamlToJson,
    ::testing::Values(
        Row{"a: 'on'\nb: \"1\"\nc: 'it''s'", R"({"a":"on","b":"1","c":"it's"})"},
        Row{"a:\nb: ~\nc:\n  - \n  - x", R"({"a":null,"b":null,"c":[null,"x"]})"},
        Row{"a: |\n  x\n  y\nb: >\n  x\n  y\n", R"({"a":"x\ny\n","b":"x y\n"})"},
        Row{"a: |2-\n   x", R"({"a":" x"})"},
        Row{"a: |\r\n  x\r\n  y\r\nb: 1\r\n", R"({"a":"x\ny\n","b":1})"},
        Row{"- a\n- {b: [c, d: e]}", R"(["a",{"b":["c",{"d":"e"}]}])"},
        Row{"{a: b, c}", R"({"a":"b","c":null})"},
        Row{"? a", R"({"a":null})"},
        Row{"1: a\n0x10: b\non: c", R"({"1":"a","16":"b","true":"c"})"},
        Row{"a: !!str 1\nb: !!int \"1\"\nc: !foo 1\nd: !!str", R"({"a":"1","b":1,"c":"1","d":""})"},
        Row{"a: \"\\x41\\u00e9\\U0001F600\"", "{\"a\":\"A\xc3\xa9\xf0\x9f\x98\x80\"}"},
        Row{"a: \"\xc3\xa9\\N\\_\"", "{\"a\":\"\xc3\xa9\xc2\x85\xc2\xa0\"}"},
        Row{"5", "5"},
        Row{"hello", "\"hello\""},
        Row{"\xEF\xBB\xBF"
            "a: 1",
            R"({"a":1})"},
        Row{"a: 1 # comment", R"({"a":1})"},
        Row{"--- {a: 1}\n", R"({"a":1})"},
        Row{"%YAML 1.1\n---\na: 1", R"({"a":1})"}));

INSTANTIATE_TEST_SUITE_P(
    Merges,
    YamlToJson,
    ::testing::Values(Row{"a: &x {b: 1}\nc: {<<: *x, d: 2}", R"({"a":{"b":1},"c":{"b":1,"d":2}})"},
                      Row{"a: &x {b: 1}\nc: {<<: *x, b: 2}", R"({"a":{"b":1},"c":{"b":2}})"},
                      Row{"a: &x {b: 1}\nc: {b: 2, <<: *x}", R"({"a":{"b":1},"c":{"b":1}})"},
                      Row{"a: &x {b: 1}\nz: &y {b: 2, e: 3}\nc: {<<: [*x, *y]}",
                          R"({"a":{"b":1},"z":{"b":2,"e":3},"c":{"b":1,"e":3}})"},
                      Row{"c: {<<: {b: 1}}", R"({"c":{"b":1}})"},
                      Row{"c: {\"<<\": {b: 1}}", R"({"c":{"<<":{"b":1}}})"},
                      Row{"a: &x {b: 1}\nc: {<<: *x, <<: *x}", R"({"a":{"b":1},"c":{"b":1}})"},
                      Row{"a: &x {b: &y [1]}\nc: *x\nd: *y",
                          R"({"a":{"b":[1]},"c":{"b":[1]},"d":[1]})"}));

struct BadRow {
  std::string_view yaml;
  std::string_view at;
  std::string_view message;  // a part of it
};

class Refused : public ::testing::TestWithParam<BadRow> {};

TEST_P(Refused, WithPlaceAndReason) {
  const DocumentStream stream = read_documents(GetParam().yaml);
  EXPECT_TRUE(stream.documents.empty());
  ASSERT_EQ(stream.problems.size(), 1U) << GetParam().yaml;
  EXPECT_EQ(place(stream.problems[0].position), GetParam().at) << stream.problems[0].message;
  EXPECT_NE(stream.problems[0].message.find(GetParam().message), std::string::npos)
      << stream.problems[0].message;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml,
    Refused,
    ::testing::Values(BadRow{"a: 1\nb: 2\na: 3", "3:1", "the key \"a\" is here twice"},
                      BadRow{"1: a\n0x1: b", "2:1", "the key \"1\" is here twice"},
                      BadRow{"a: .inf", "1:4", "JSON has no number .inf"},
                      BadRow{"a: !!binary aGk=", "1:4", "!!binary is not supported"},
                      BadRow{"a: !!int abc", "1:4", "\"abc\" is not a !!int"},
                      BadRow{"~: a", "1:1", "null cannot"},
                      BadRow{"[1]: a", "1:1", "a key must be a plain value"},
                      BadRow{"c: {<<: 1}", "1:9", "merges a map or a list of maps"},
                      BadRow{"c: {<<: [1]}", "1:9", "merges a map"},
                      BadRow{"a: &a [*a]", "1:8", "inside its own anchor"},
                      BadRow{"a: *nope", "1:4", "not YAML"},
                      BadRow{"a: [1, 2", "1:9", "not YAML"},
                      BadRow{"a: b: c", "1:5", "not YAML"},
                      BadRow{"\xC3\xA4: [\xC3\xA4, }", "1:8", "not YAML"},
                      BadRow{"a: @x", "1:4", "not YAML"},
                      BadRow{"a: \"\\uD800\"", "1:11", "not YAML"},
                      BadRow{"a: \"\\ud83d\\ude00\"", "1:11", "not YAML"},
                      BadRow{"a: 1\nb: \x04\nc: 1", "2:4", "control character"},
                      BadRow{"a: \xff", "1:1", "not UTF-8"},
                      BadRow{"\xff\xfe"
                             "a",
                             "1:1",
                             "UTF-16"}));

INSTANTIATE_TEST_SUITE_P(
    Json,
    Refused,
    ::testing::Values(BadRow{"{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"\\u0063\": 2}}",
                             "3:17",
                             "the key \"c\" is here twice"},
                      BadRow{"{\"a\": 1", "1:8", "not JSON or YAML"}));

TEST(DocumentStream, JsonIsReadAsItIs) {
  const std::string_view text = "{\"a\": [1.50, \"\\ud83d\\ude00\"],\n \"b~/\": {\"\xC3\xA4\": tru";
  const std::string full = std::string(text) + "e, \"c\": null}}\n";
  const DocumentStream stream = read_documents(full);
  ASSERT_EQ(stream.documents.size(), 1U);
  EXPECT_EQ(stream.documents[0].json, full.substr(0, full.size() - 1));
  const PositionMap& map = stream.documents[0].positions;
  EXPECT_EQ(place(map.of_value("/a/1")), "1:14");
  EXPECT_EQ(place(map.of_key("/b~0~1")), "2:2");
  EXPECT_EQ(place(map.of_value("/b~0~1/\xC3\xA4")), "2:15");
  EXPECT_EQ(place(map.of_key("/b~0~1/c")), "2:21");
}

TEST(DocumentStream, SeveralJsonValues) {
  const DocumentStream stream = read_documents("{\"a\":1}\n{\"a\":2}\n---\n[3]");
  ASSERT_EQ(stream.documents.size(), 3U);
  EXPECT_EQ(place(stream.documents[1].start), "2:1");
  EXPECT_EQ(place(stream.documents[2].start), "4:1");
  EXPECT_EQ(place(stream.documents[1].positions.of_value("/a")), "2:6");
}

TEST(DocumentStream, FlowYamlThatIsNotJson) {
  EXPECT_EQ(json_of("{a: 1, \"b\": [x,],}"), R"({"a":1,"b":["x"]})");
}

TEST(DocumentStream, HelmStream) {
  const DocumentStream stream = read_documents(
      "---\n# Source: web/templates/a.yaml\n\nkind: A\n---\n# nothing\n---\n"
      "# Source: web/templates/b.yaml\nkind: B\nx: |\n  ---\n  y\n---\n~\n");
  ASSERT_TRUE(stream.problems.empty());
  ASSERT_EQ(stream.documents.size(), 2U);
  EXPECT_EQ(stream.documents[0].source, "web/templates/a.yaml");
  EXPECT_EQ(place(stream.documents[0].start), "4:1");
  EXPECT_EQ(stream.documents[1].source, "web/templates/b.yaml");
  EXPECT_EQ(stream.documents[1].json, R"({"kind":"B","x":"---\ny\n"})");
  EXPECT_EQ(place(stream.documents[1].positions.of_key("/x")), "10:1");
}

TEST(DocumentStream, DocumentsAroundABadOneAreKept) {
  const DocumentStream stream =
      read_documents("a: 1\n---\nb: [\n---\nc: 3\nc: 4\n---\n{\"d\":\n---\ne: 5\n");
  ASSERT_EQ(stream.documents.size(), 2U);
  EXPECT_EQ(stream.documents[1].json, R"({"e":5})");
  ASSERT_EQ(stream.problems.size(), 3U);
  EXPECT_EQ(place(stream.problems[1].position), "6:1");
}

TEST(DocumentStream, DocumentsThatEndWithDots) {
  const DocumentStream stream = read_documents("a: 1\n...\n# x\nb: 2\n...\n");
  ASSERT_EQ(stream.documents.size(), 2U);
  EXPECT_EQ(place(stream.documents[1].start), "4:1");
}

TEST(DocumentStream, ALineThatDoesNotFitIsNoNewDocument) {
  for (const std::string_view text : {"a: 1\n- b\n", "- a\nb: 1\n", "{a: 1}\nb: 2\n"}) {
    const DocumentStream stream = read_documents(text);
    EXPECT_EQ(stream.problems.size(), 1U) << text;
  }
}

TEST(DocumentStream, PositionsOfKeysAndValues) {
  const DocumentStream stream = read_documents(
      "kind: Pod\nspec:\n  containers:\n  - name: \xC3\xA4\xC3\xA4\n    image: x\n"
      "  - {name: \xC3\xA4, image: y}\n  empty:\n");
  ASSERT_EQ(stream.documents.size(), 1U);
  const PositionMap& map = stream.documents[0].positions;
  EXPECT_EQ(place(map.of_value("/spec/containers/0")), "4:5");
  EXPECT_EQ(place(map.of_value("/spec/containers/0/name")), "4:11");
  EXPECT_EQ(place(map.of_key("/spec/containers/0/image")), "5:5");
  EXPECT_EQ(place(map.of_value("/spec/containers/0/image")), "5:12");
  EXPECT_EQ(place(map.of_value("/spec/containers/1/image")), "6:22");
  EXPECT_EQ(place(map.of_value("/spec/empty")), "7:3");
  EXPECT_EQ(place(map.of_value("/spec/containers/0/resources/limits")), "4:5");
}

TEST(DocumentStream, AliasBombIsStopped) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  const DocumentStream stream = read_documents(bomb);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  ASSERT_EQ(stream.problems.size(), 1U);
  EXPECT_NE(stream.problems[0].message.find("aliases are expanded"), std::string::npos);
}

TEST(DocumentStream, MergeBombIsStopped) {
  std::string bomb = "a0: &a0 {x: 1}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string above = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {<<: [" + above + ", " +
            above + ", " + above + "]}\n";
  }
  EXPECT_EQ(read_documents(bomb).problems.size(), 1U);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(DocumentStream, DeepNestingIsRefusedWithoutRecursion) {
  for (const std::string_view open : {"[", "{\"a\":", "{a: ", "- ", "? ", "[{a: "}) {
    const DocumentStream stream = read_documents(repeated(open, 100'000));
    EXPECT_TRUE(stream.documents.empty()) << open;
    EXPECT_EQ(stream.problems.size(), 1U) << open;
  }
  EXPECT_EQ(json_of(repeated("[", 128) + repeated("]", 128)),
            repeated("[", 128) + repeated("]", 128));
  const std::string deep = json_of(repeated("[", 129) + repeated("]", 129));
  EXPECT_NE(deep.find("nested deeper than 128"), std::string::npos) << deep;
}

TEST(DocumentStream, LimitsOfSizeAndCount) {
  DocumentLimits limits;
  limits.bytes = 10;
  EXPECT_EQ(read_documents("a: 12345678", limits).problems.size(), 1U);
  limits = {};
  limits.documents = 2;
  const DocumentStream many = read_documents("1\n---\n2\n---\n3\n", limits);
  EXPECT_EQ(many.documents.size(), 2U);
  EXPECT_EQ(many.problems.size(), 1U);
  limits = {};
  limits.values = 4;
  EXPECT_EQ(read_documents("[1, 2, 3]", limits).documents.size(), 1U);
  EXPECT_EQ(read_documents("[1, 2, 3, 4]", limits).problems.size(), 1U);
  EXPECT_EQ(read_documents("{a: [1, 2, 3, 4]}", limits).problems.size(), 1U);
  limits = {};
  limits.json_bytes = 8;
  EXPECT_EQ(read_documents("[\"123456789012\"]", limits).problems.size(), 1U);
}

TEST(DocumentStream, EmptyInputs) {
  for (const std::string_view text :
       {"", "\n\n", "# x", "---", "---\n---\n", "~", "--- # x\n...\n"}) {
    const DocumentStream stream = read_documents(text);
    EXPECT_TRUE(stream.documents.empty()) << text;
    EXPECT_TRUE(stream.problems.empty()) << text;
  }
}

TEST(DocumentStream, EveryJsonTextIsAcceptedByTheReaderBehind) {
  policy::json::Parser parser;
  for (const std::string_view text : {"a: 18446744073709551616",
                                      "a: -9223372036854775809",
                                      "a: 1e300",
                                      "a: \"\\e\\0\"",
                                      "a: -0.0",
                                      "? \"\\x01\"\n: 5e-324"}) {
    const DocumentStream stream = read_documents(text);
    ASSERT_EQ(stream.documents.size(), 1U) << text;
    const simdjson::padded_string padded(stream.documents[0].json);
    EXPECT_EQ(parser.parse(padded).error(), simdjson::SUCCESS) << stream.documents[0].json;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::documents
