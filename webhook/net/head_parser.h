// Reads the head of an HTTP/1 request out of a buffer, and the chunks of a body that come in
// chunks.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "webhook/net/handler.h"

namespace plimsoll::webhook::net {

inline constexpr std::size_t kMaxHeadBytes = 64 * 1024;
inline constexpr std::size_t kMaxHeadFields = 100;

enum class HeadState : std::uint8_t { kNeedMore, kComplete, kRefused };
enum class ChunkState : std::uint8_t { kNeedMore, kComplete, kTooLong, kRefused };

// One object per connection; `start` begins the next request. Its memory is reused.
class HeadParser {
 public:
  using Buffer = boost::beast::flat_buffer;

  void start();

  // Consumes a complete head from `buffer`. Refused: `refusal_status` and `refusal` tell why.
  HeadState parse(Buffer& buffer);

  // Valid after kComplete until `start`.
  const RequestHead& head() const { return head_; }
  bool chunked() const { return chunked_; }
  bool expects_continue() const { return expects_continue_; }
  bool keep_alive() const { return keep_alive_; }
  bool head_only() const { return head_.method == "HEAD"; }
  bool announces_body() const { return chunked_ || head_.content_length.value_or(0) > 0; }
  unsigned refusal_status() const { return refusal_status_; }
  std::string_view refusal() const { return refusal_; }

  // Appends the content of chunks in `buffer` to `body`, `limit` bytes of it at most.
  ChunkState parse_chunks(Buffer& buffer, std::string& body, std::uint64_t limit);

 private:
  using Allocator = std::pmr::polymorphic_allocator<char>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body, Allocator>;

  HeadState refuse(unsigned status, std::string_view text);
  HeadState check_fields();
  HeadState check_framing(std::size_t lengths, std::size_t encodings);

  std::array<std::byte, 4096> memory_;
  std::pmr::monotonic_buffer_resource resource_{memory_.data(), memory_.size()};
  std::optional<Parser> parser_;
  RequestHead head_;
  bool chunked_ = false;
  bool expects_continue_ = false;
  bool keep_alive_ = false;
  unsigned refusal_status_ = 400;
  std::string_view refusal_;
};

}  // namespace plimsoll::webhook::net
