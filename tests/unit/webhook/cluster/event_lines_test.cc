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
  EventLines lines{version, [this](EventType type, const policy::json::Object& object) {
                     const std::string name(text_at(object, "metadata", "name"));
                     told.push_back((type == EventType::kPut ? "put " : "removed ") + name);
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
