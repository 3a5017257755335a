// How a session reads the body of a request: a part of session.h, which includes it.
#pragma once

#include "webhook/net/session.h"

namespace plimsoll::webhook::net {

template <class Stream>
auto Session<Stream>::read_body() -> boost::asio::awaitable<BodyState> {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  const bool too_long = parser_.head().content_length.value_or(0) > plan_.body_limit;
  if (parser_.expects_continue() && buffer_.size() == 0) co_await send_continue();
  if (too_long) co_return co_await read_prefix();
  if (parser_.chunked()) co_return co_await read_chunks();
  take_buffered_body();
  while (body_have_ < body_.size()) {
    const auto rest = boost::asio::buffer(body_.data() + body_have_, body_.size() - body_have_);
    const std::size_t bytes = co_await stream_.async_read_some(rest, token);
    if (error_) {
      ++context_.counters.short_bodies;
      co_return BodyState::kGone;
    }
    body_have_ += bytes;
  }
  co_return BodyState::kComplete;
}

template <class Stream>
auto Session<Stream>::read_chunks() -> boost::asio::awaitable<BodyState> {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  body_.clear();
  while (true) {
    const ChunkState state = parser_.parse_chunks(buffer_, body_, plan_.body_limit);
    if (state == ChunkState::kComplete) co_return BodyState::kComplete;
    if (state == ChunkState::kTooLong) {
      const std::string_view prefix = std::string_view(body_).substr(0, kPrefixBytes);
      context_.handler.too_large(parser_.head(), prefix, answer_);
      co_return BodyState::kEarly;
    }
    if (state == ChunkState::kRefused || buffer_.size() > kMaxHeadBytes) {
      ++context_.counters.bad_requests;
      set_refusal(answer_, 400, "the chunks of the body are not well-formed");
      co_return BodyState::kEarly;
    }
    const auto room = buffer_.prepare(kBufferBytes);
    const std::size_t bytes = co_await stream_.async_read_some(room, token);
    if (error_) {
      ++context_.counters.short_bodies;
      co_return BodyState::kGone;
    }
    buffer_.commit(bytes);
  }
}

// Enough of a body that is too long to say whose it is.
template <class Stream>
auto Session<Stream>::read_prefix() -> boost::asio::awaitable<BodyState> {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  const std::size_t wanted = std::min<std::uint64_t>(kPrefixBytes, *parser_.head().content_length);
  while (buffer_.size() < wanted) {
    const auto room = buffer_.prepare(wanted - buffer_.size());
    const std::size_t bytes = co_await stream_.async_read_some(room, token);
    if (error_) {
      ++context_.counters.short_bodies;
      co_return BodyState::kGone;
    }
    buffer_.commit(bytes);
  }
  const std::string_view prefix(static_cast<const char*>(buffer_.data().data()), wanted);
  context_.handler.too_large(parser_.head(), prefix, answer_);
  co_return BodyState::kEarly;
}

}  // namespace plimsoll::webhook::net
