#include "webhook/net/head_parser.h"

#include <algorithm>

namespace plimsoll::webhook::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

// True if the request line ends in a version of HTTP that is not ours: "HTTP/2.0", "HTTP/0.9".
bool asks_for_other_version(std::string_view head) {
  constexpr std::string_view kShape = "HTTP/d.d";
  std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  if (line.size() < kShape.size() || head.substr(line.size(), 2) != "\r\n") return false;
  line.remove_prefix(line.size() - kShape.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return line.starts_with("HTTP/") && is_digit(line[5]) && line[6] == '.' && is_digit(line[7]);
}

}  // namespace

void HeadParser::start() {
  parser_.reset();
  resource_.release();
  parser_.emplace(
      std::piecewise_construct, std::make_tuple(), std::make_tuple(Allocator(&resource_)));
  parser_->header_limit(kMaxHeadBytes);
  parser_->body_limit(boost::none);  // bodies are bounded by whoever reads them
  parser_->eager(false);
  head_ = {};
  chunked_ = false;
  expects_continue_ = false;
  keep_alive_ = false;
}

HeadState HeadParser::refuse(unsigned status, std::string_view text) {
  refusal_status_ = status;
  refusal_ = text;
  return HeadState::kRefused;
}

HeadState HeadParser::parse(Buffer& buffer) {
  if (buffer.size() == 0) return HeadState::kNeedMore;
  error_code error;
  const std::string_view text(static_cast<const char*>(buffer.data().data()), buffer.size());
  const std::size_t consumed = parser_->put(buffer.data(), error);
  if (error == http::error::bad_version && asks_for_other_version(text)) {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken");
  }
  buffer.consume(consumed);
  if (error == http::error::need_more) return HeadState::kNeedMore;
  if (error == http::error::header_limit) return refuse(431, "the head is larger than 64 KiB");
  if (error) return refuse(400, "this is not a well-formed HTTP request");
  if (!parser_->is_header_done()) return HeadState::kNeedMore;
  return check_fields();
}

HeadState HeadParser::check_fields() {
  const auto& request = parser_->get();
  std::size_t fields = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  for (const auto& field : request) {
    ++fields;
    const std::string_view value = view(field.value());
    switch (field.name()) {
      case http::field::content_length:
        ++lengths;
        break;
      case http::field::transfer_encoding:
        ++encodings;
        if (!equals_ignoring_case(value, "chunked")) {
          return refuse(501, "no other transfer coding than chunked is spoken");
        }
        break;
      case http::field::content_type:
        head_.has_content_type = true;
        head_.content_type = value;
        break;
      case http::field::content_encoding:
        head_.content_encoding = value;
        break;
      case http::field::expect:
        expects_continue_ = equals_ignoring_case(value, "100-continue");
        if (!expects_continue_) return refuse(417, "no other expectation than 100-continue is met");
        break;
      default:
        break;
    }
  }
  if (fields > kMaxHeadFields) return refuse(431, "the head has more than 100 fields");
  return check_framing(lengths, encodings);
}

HeadState HeadParser::check_framing(std::size_t lengths, std::size_t encodings) {
  if (lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0)) {
    return refuse(400, "the length of the body is given more than once");
  }
  const auto& request = parser_->get();
  if (request.version() == 10 && encodings > 0) {
    return refuse(400, "HTTP/1.0 has no transfer coding");
  }
  if (request.version() != 11 && request.version() != 10) {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken");
  }
  chunked_ = encodings > 0;
  keep_alive_ = request.version() == 11 && parser_->keep_alive();
  expects_continue_ = expects_continue_ && request.version() == 11;
  if (lengths > 0) head_.content_length = parser_->content_length().value_or(0);
  head_.method = view(request.method_string());
  head_.target = view(request.target());
  const std::size_t question = std::min(head_.target.find('?'), head_.target.size());
  head_.path = head_.target.substr(0, question);
  head_.query = head_.target.substr(std::min(question + 1, head_.target.size()));
  head_.received = Clock::now();
  parser_->eager(true);
  return HeadState::kComplete;
}

ChunkState HeadParser::parse_chunks(Buffer& buffer, std::string& body, std::uint64_t limit) {
  constexpr std::size_t kPiece = 16 * 1024;
  while (!parser_->is_done()) {
    if (buffer.size() == 0) return ChunkState::kNeedMore;
    const std::size_t before = body.size();
    if (body.capacity() < before + kPiece + kBodyPadding) {
      body.reserve(2 * before + kPiece + kBodyPadding);
    }
    body.resize(before + kPiece);
    auto& target = parser_->get().body();
    target.data = body.data() + before;
    target.size = kPiece;
    target.more = true;
    error_code error;
    const std::size_t consumed = parser_->put(buffer.data(), error);
    buffer.consume(consumed);
    body.resize(before + kPiece - target.size);
    if (body.size() > limit) return ChunkState::kTooLong;
    if (error == http::error::need_more) return ChunkState::kNeedMore;
    if (error && error != http::error::need_buffer) return ChunkState::kRefused;
  }
  return ChunkState::kComplete;
}

}  // namespace plimsoll::webhook::net
