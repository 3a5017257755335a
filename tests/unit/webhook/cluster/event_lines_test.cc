#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "webhook/cluster/event_stream.h"

namespace plimsoll::webhook::cluster {
namespace {

std::string event(const std::string& type, const std::string& name, int version) {
  return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name +
         R"(","resourceVersion":")" + std::to_string(version) + "\"}}}\n";
}

// "put a", "removed b": what the sink was told of.
struct Watched {
  std::string version = "1";
  std::vector<std::string> told;
  EventLines lines{
      version,
      [this](EventType type, const policy::json::Object& object, const std::string& trouble) {
        const std::string name(text_at(object, "metadata", "name"));
        told.push_back((type == EventType::kPut ? "put " : "removed ") + name + trouble);
      }};
};

const std::vector<std::string> kTold = {"put a", "put a", "removed b"};

std::string stream() {
  return event("ADDED", "a", 5) + event("BOOKMARK", "", 6) + "\n" + event("MODIFIED", "a", 7) +
         event("DELETED", "b", 8);
}

TEST(EventLines, ComeInWhateverPieces) {
  const std::string text = stream();
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Watched watched;
    for (std::size_t at = 0; at < text.size(); at += size) {
      ASSERT_TRUE(watched.lines.add(std::string_view(text).substr(at, size)));
    }
    watched.lines.end();
    ASSERT_EQ(watched.told, kTold) << size;
    ASSERT_EQ(watched.version, "8");
    ASSERT_FALSE(watched.lines.error());
  }
}

TEST(EventLines, CutAnywhereKeepWhatWasWhole) {
  const std::string text = stream();
  for (std::size_t length = 0; length < text.size(); ++length) {
    Watched watched;
    ASSERT_TRUE(watched.lines.add(std::string_view(text).substr(0, length)));
    watched.lines.end();
    const bool whole = length == 0 || text[length - 1] == '\n';
    ASSERT_EQ(watched.lines.error().has_value(), !whole) << length;
    ASSERT_LE(watched.told.size(), kTold.size());
  }
}

TEST(EventLines, EndWithWhatCannotBeRead) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"no JSON\n", "a line that is no JSON object"},
      {"[]\n", "a line that is no JSON object"},
      {"{}\n", "something that is no event"},
      {R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"2"},"x":[[}})"
       "\n",
       "a line that is no JSON object"},
      {R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"2"},"x":1e400}})"
       "\n",
       "a line that is no JSON object"},
      {R"({"type":5,"object":{"metadata":{"name":"a","resourceVersion":"2"},"x":1e400}})"
       "\n",
       "something that is no event"},
      {R"({"type":"ADDED","object":{"metadata":{"name":"a"},"x":1e400}})"
       "\n",
       "without a resourceVersion"},
      {"{\"type\":\"ADDED\",\"object\":5}\n", "something that is no event"},
      {"{\"type\":\"ADDED\",\"object\":{}}\n", "without a resourceVersion"},
      {event("RENAMED", "a", 5), "an event of an unknown type"},
  };
  for (const auto& [text, says] : rows) {
    Watched watched;
    EXPECT_FALSE(watched.lines.add(text)) << text;
    ASSERT_TRUE(watched.lines.error()) << text;
    EXPECT_NE(watched.lines.error()->message.find(says), std::string::npos)
        << watched.lines.error()->message;
    EXPECT_TRUE(watched.told.empty());
    EXPECT_EQ(watched.version, "1") << "a version that was not understood is not gone on from";
  }
}

// The next watch would begin with the same event.
TEST(EventLines, GoOnAfterAnObjectThatCannotBeRead) {
  const auto unread = [](const std::string& type, const std::string& spec) {
    return R"({"type":")" + type +
           R"(","object":{"metadata":{"name":"x","resourceVersion":"7"},"spec":)" + spec + "}}\n";
  };
  const std::string number = R"({"y":100000000000000000000})";
  const std::string deep = std::string(2'000, '[') + std::string(2'000, ']');
  const std::vector<std::pair<std::string, std::string>> rows = {
      {unread("ADDED", number), "put xspec.y: a number that is too large"},
      {unread("MODIFIED", deep), "put xspec: nested deeper than 1,000 levels"},
      {unread("DELETED", deep), "removed xspec: nested deeper than 1,000 levels"},
  };
  for (const auto& [text, says] : rows) {
    Watched watched;
    EXPECT_TRUE(watched.lines.add(event("ADDED", "a", 6) + text + event("ADDED", "b", 8)));
    EXPECT_EQ(watched.told, (std::vector<std::string>{"put a", says, "put b"}));
    EXPECT_EQ(watched.version, "8");
  }
  Watched watched;
  EXPECT_FALSE(watched.lines.add(unread("RENAMED", number)));
  EXPECT_EQ(watched.version, "1");
}

TEST(EventLines, HandOnWhatTheServerSays) {
  Watched watched;
  const std::string gone =
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})";
  EXPECT_FALSE(watched.lines.add(event("ADDED", "a", 5) + gone + "\n" + event("ADDED", "b", 6)));
  ASSERT_TRUE(watched.lines.error());
  EXPECT_TRUE(watched.lines.error()->is_gone());
  EXPECT_EQ(watched.told.size(), 1U);
}

TEST(EventLines, AreNotLongerThanTheLimit) {
  Watched watched;
  const std::string piece(1 << 20, 'x');
  bool fine = true;
  std::size_t taken = 0;
  while (fine && taken <= 2 * kMaxEventBytes) {
    fine = watched.lines.add(piece);
    taken += piece.size();
  }
  EXPECT_FALSE(fine);
  EXPECT_LE(taken, kMaxEventBytes + piece.size());
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
