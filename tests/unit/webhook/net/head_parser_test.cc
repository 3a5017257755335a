#include "webhook/net/head_parser.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

void append(HeadParser::Buffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare(bytes.size());
  std::ranges::copy(bytes, static_cast<char*>(room.data()));
  buffer.commit(bytes.size());
}

struct Parsed {
  HeadState state = HeadState::kNeedMore;
  unsigned status = 0;
  std::size_t left = 0;  // bytes behind the head
};

Parsed parse(HeadParser& parser, std::string_view bytes) {
  HeadParser::Buffer buffer;
  append(buffer, bytes);
  parser.start();
  Parsed parsed;
  parsed.state = parser.parse(buffer);
  if (parsed.state == HeadState::kRefused) parsed.status = parser.refusal_status();
  parsed.left = buffer.size();
  return parsed;
}

TEST(HeadParser, ReadsWhatTheSessionNeeds) {
  HeadParser parser;
  const Parsed parsed = parse(parser,
                              "POST /validate?timeout=10s&x=y HTTP/1.1\r\nHost: h\r\n"
                              "Content-Type: application/json\r\nContent-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\nhello");
  ASSERT_EQ(parsed.state, HeadState::kComplete);
  EXPECT_EQ(parsed.left, 5U);
  EXPECT_EQ(parser.head().method, "POST");
  EXPECT_EQ(parser.head().path, "/validate");
  EXPECT_EQ(parser.head().query, "timeout=10s&x=y");
  EXPECT_EQ(parser.head().content_type, "application/json");
  EXPECT_EQ(parser.head().content_length, 5U);
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.chunked());
}

TEST(HeadParser, WaitsForTheWholeHead) {
  const std::string_view head = "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
  HeadParser parser;
  for (std::size_t size = 0; size < head.size(); ++size) {
    EXPECT_EQ(parse(parser, head.substr(0, size)).state, HeadState::kNeedMore) << size;
  }
  EXPECT_EQ(parse(parser, head).state, HeadState::kComplete);
}

TEST(HeadParser, RefusesWhatIsAmbiguousOrTooMuch) {
  std::string fields;
  for (int i = 0; i < 101; ++i) fields += "X: y\r\n";
  const struct {
    std::string head;
    unsigned status;
  } rows[] = {
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: 99999999999999999999\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Expect: tea\r\n", 417},
      {"X : y\r\n", 400},
      {"X: " + std::string(70000, 'y') + "\r\n", 431},
      {fields, 431},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.head.substr(0, 60));
    HeadParser parser;
    const Parsed parsed = parse(parser, "POST / HTTP/1.1\r\n" + row.head + "\r\n");
    EXPECT_EQ(parsed.state, HeadState::kRefused);
    EXPECT_EQ(parsed.status, row.status);
  }
}

TEST(HeadParser, ReadsChunksUpToALimit) {
  const struct {
    std::string_view chunks;
    ChunkState state;
    std::string_view body;
  } rows[] = {
      {"5\r\nhello\r\n0\r\n\r\n", ChunkState::kComplete, "hello"},
      {"5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", ChunkState::kComplete, "helloabc"},
      {"0\r\n\r\n", ChunkState::kComplete, ""},
      {"5\r\nhel", ChunkState::kNeedMore, "hel"},
      {"a\r\n0123456789\r\n1\r\nx\r\n", ChunkState::kTooLong, "0123456789x"},
      {"zz\r\n", ChunkState::kRefused, ""},
      {"fffffffffffffffff\r\n", ChunkState::kRefused, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.chunks);
    HeadParser parser;
    HeadParser::Buffer buffer;
    append(buffer, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    append(buffer, row.chunks);
    parser.start();
    ASSERT_EQ(parser.parse(buffer), HeadState::kComplete);
    std::string body;
    EXPECT_EQ(parser.parse_chunks(buffer, body, 10), row.state);
    EXPECT_EQ(body.substr(0, row.body.size()), row.body);
  }
}

}  // namespace
}  // namespace plimsoll::webhook::net
