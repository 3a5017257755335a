// One connection: requests in, answers out, in order, each step under a deadline.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "webhook/net/answer_text.h"
#include "webhook/net/front.h"
#include "webhook/net/head_parser.h"
#include "webhook/net/transport.h"

namespace plimsoll::webhook::net {

inline constexpr std::size_t kBufferBytes = 18 * 1024;  // a TLS record and some; reserved once
inline constexpr std::size_t kKeptBodyBytes =
    64 * 1024;  // larger memory is freed after the request
inline constexpr std::uint64_t kMaxLingerBytes = 256u << 20U;

// Assigning an empty string would keep the memory.
inline void free_memory(std::string& text) {
  std::string().swap(text);
}

// What the sessions of a listener share.
struct SessionContext {
  Handler& handler;
  ServerCounters& counters;
  const ServerOptions& options;
  const std::atomic<bool>& draining;
  boost::asio::io_context* large_lane = nullptr;  // one thread for all large bodies; null: none
};

template <class Stream>
class Session final : public Connection, private WakeSource {
 public:
  // `stream` must be ready for HTTP: after its handshake.
  Session(Stream& stream, SessionContext& context) : stream_(stream), context_(context) {
    buffer_.reserve(kBufferBytes);
  }
  ~Session() override {
    end_request();
    end_answer();
  }

  // Serves requests until the connection ends.
  boost::asio::awaitable<void> run();

  void close_now() override {
    close_stream(stream_);
    if (lane_wait_ != nullptr) lane_wait_->cancel();
  }
  void give_memory_back() override;

 private:
  enum class BodyState : std::uint8_t { kComplete, kEarly, kGone };

  // Takes part in the large lane; shared with it because either side may be the last to look.
  struct Turn {
    enum State : std::uint8_t { kWaiting, kTaken, kLate };
    std::atomic<State> state{kWaiting};
    bool finished = false;  // on the connection's thread only
    bool claim(State next) {
      State expected = kWaiting;
      return state.compare_exchange_strong(expected, next);
    }
  };

  // What wakes a connection that waits for its answer; the connection may be gone by then.
  struct Sleep {
    bool woken = false;                          // on the connection's thread only
    boost::asio::steady_timer* timer = nullptr;  // likewise; while it waits
  };

  HeadState begin_request();
  HeadState continue_head();
  std::size_t head_room();
  void plan();
  void take_buffered_body();
  void answer_now();
  void finish_answer();
  void end_request();  // nothing of its body is needed any more
  void end_answer();   // the answer has been written, or will never be
  void free_large_memory();
  bool must_close() const;

  boost::asio::awaitable<BodyState> read_body();
  boost::asio::awaitable<BodyState> read_chunks();
  boost::asio::awaitable<BodyState> read_prefix();
  boost::asio::awaitable<void> answer_in_lane();
  boost::asio::awaitable<void> wait_for_answer();
  Wake wake() override;
  boost::asio::awaitable<void> send_continue();
  boost::asio::awaitable<void> answer_early();
  boost::asio::awaitable<void> drain();

  void allow(std::chrono::milliseconds time) { expires = Clock::now() + time; }

  Stream& stream_;
  SessionContext& context_;
  boost::beast::flat_buffer buffer_;
  HeadParser parser_;
  Plan plan_;
  Answer answer_;
  std::string body_;
  std::size_t body_have_ = 0;  // bytes of body_ that have been read
  std::string out_;
  bool planned_ = false;                            // the handler waits for done()
  boost::asio::steady_timer* lane_wait_ = nullptr;  // while an answer has to wait
  std::unique_ptr<PendingAnswer> pending_;          // the handler waits for something
  std::shared_ptr<Sleep> sleep_;
  boost::system::error_code error_;
};

template <class Stream>
HeadState Session<Stream>::begin_request() {
  parser_.start();
  answer_.reset();
  const Clock::time_point now = Clock::now();
  const bool quiet = buffer_.size() == 0;
  expires = now + (quiet ? context_.options.idle : context_.options.header);
  quiet_since = quiet ? now : Clock::time_point::max();
  return parser_.parse(buffer_);
}

template <class Stream>
void Session<Stream>::give_memory_back() {
  for (std::string* text : {&body_, &answer_.body, &out_}) free_memory(*text);
}

template <class Stream>
HeadState Session<Stream>::continue_head() {
  quiet_since = Clock::time_point::max();
  // The clock for the head runs from its first byte.
  const Clock::time_point by = Clock::now() + context_.options.header;
  if (by < expires) expires = by;
  return parser_.parse(buffer_);
}

template <class Stream>
std::size_t Session<Stream>::head_room() {
  const std::size_t room = buffer_.capacity() - buffer_.size();
  return room > 0 ? room : kBufferBytes;
}

template <class Stream>
void Session<Stream>::plan() {
  in_request = true;
  ++context_.counters.busy;
  body_.clear();  // of the request before; one without a body must not see it
  body_.reserve(kBodyPadding);
  plan_ = context_.handler.plan(parser_.head(), answer_);
  planned_ = !plan_.answered;
  expires = plan_.answered ? Clock::time_point::max() : plan_.body_by;
}

template <class Stream>
void Session<Stream>::end_request() {
  if (body_.capacity() > kKeptBodyBytes) free_memory(body_);  // before what it cost is given back
  if (planned_) context_.handler.done(plan_);
  planned_ = false;
}

template <class Stream>
void Session<Stream>::end_answer() {
  if (in_request) --context_.counters.busy;
  in_request = false;
}

template <class Stream>
bool Session<Stream>::must_close() const {
  return !parser_.keep_alive() || answer_.close ||
         context_.draining.load(std::memory_order_relaxed);
}

template <class Stream>
void Session<Stream>::take_buffered_body() {
  const std::size_t length = parser_.head().content_length.value_or(0);
  body_.reserve(length + kBodyPadding);
  body_.resize_and_overwrite(length, [](char*, std::size_t size) { return size; });
  const std::size_t ready = std::min(buffer_.size(), length);
  std::char_traits<char>::copy(
      body_.data(), static_cast<const char*>(buffer_.data().data()), ready);
  buffer_.consume(ready);
  body_have_ = ready;
}

template <class Stream>
void Session<Stream>::free_large_memory() {
  for (std::string* text : {&body_, &answer_.body, &out_}) {
    if (text->capacity() > kKeptBodyBytes) free_memory(*text);
  }
}

// One of the places where exceptions end: memory may run out in the middle of a review.
template <class Stream>
void Session<Stream>::answer_now() {
  try {
    pending_ = context_.handler.answer(parser_.head(), plan_, body_, answer_, *this);
  } catch (const std::exception&) {
    ++context_.counters.failures;
    set_refusal(answer_, 500, "the request could not be answered");
  }
}

template <class Stream>
Wake Session<Stream>::wake() {
  sleep_ = std::make_shared<Sleep>();
  return [sleep = sleep_, executor = stream_.get_executor()] {
    boost::asio::post(executor, [sleep] {
      sleep->woken = true;
      if (sleep->timer != nullptr) sleep->timer->cancel();
    });
  };
}

template <class Stream>
boost::asio::awaitable<void> Session<Stream>::wait_for_answer() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  boost::asio::steady_timer timer(stream_.get_executor());
  const std::shared_ptr<Sleep> sleep = std::move(sleep_);
  if (!sleep || !sleep->woken) {
    if (sleep) sleep->timer = &timer;
    lane_wait_ = &timer;
    timer.expires_at(pending_->wait_until());
    co_await timer.async_wait(token);
    lane_wait_ = nullptr;
    if (sleep) sleep->timer = nullptr;
  }
  finish_answer();
}

template <class Stream>
void Session<Stream>::finish_answer() {
  std::unique_ptr<PendingAnswer> next;
  try {
    next = pending_->finish(answer_, *this);
  } catch (const std::exception&) {
    ++context_.counters.failures;
    set_refusal(answer_, 500, "the request could not be answered");
  }
  pending_ = std::move(next);
}

template <class Stream>
boost::asio::awaitable<void> Session<Stream>::run() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  while (true) {
    HeadState state = begin_request();
    while (state == HeadState::kNeedMore) {
      const auto room = buffer_.prepare(head_room());
      const std::size_t bytes = co_await stream_.async_read_some(room, token);
      if (error_) co_return;
      buffer_.commit(bytes);
      state = continue_head();
    }
    if (state == HeadState::kRefused) {
      ++context_.counters.bad_requests;
      set_refusal(answer_, parser_.refusal_status(), parser_.refusal());
      co_await answer_early();
      co_return;
    }
    plan();
    BodyState body = plan_.answered ? BodyState::kEarly : BodyState::kComplete;
    if (!plan_.answered && parser_.announces_body()) body = co_await read_body();
    if (body == BodyState::kGone) co_return;
    if (body == BodyState::kEarly && parser_.announces_body()) {
      co_await answer_early();
      co_return;
    }
    expires = Clock::time_point::max();
    const bool large = planned_ && context_.large_lane && context_.handler.is_large(body_.size());
    if (large) {
      co_await answer_in_lane();
    } else if (planned_) {
      answer_now();
    }
    while (pending_) co_await wait_for_answer();
    const bool close = must_close();
    write_answer(answer_, close, parser_.head_only(), out_);
    end_request();
    allow(context_.options.write);
    const auto bytes = boost::asio::buffer(out_);
    co_await boost::asio::async_write(stream_, bytes, token);
    end_answer();
    if (error_) co_return;
    if (close) break;
    free_large_memory();
  }
  allow(context_.options.linger);
  co_await say_goodbye(stream_);
}

template <class Stream>
boost::asio::awaitable<void> Session<Stream>::send_continue() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto bytes = boost::asio::buffer(kContinue.data(), kContinue.size());
  co_await boost::asio::async_write(stream_, bytes, token);
}

// The lane has one thread, so one large body is looked at at a time. Whoever claims the turn first,
// the lane or the deadline, answers.
template <class Stream>
boost::asio::awaitable<void> Session<Stream>::answer_in_lane() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  const auto turn = std::make_shared<Turn>();
  boost::asio::steady_timer wake(stream_.get_executor());
  const auto executor = stream_.get_executor();
  auto work = [this, turn, executor, &wake] {
    if (!turn->claim(Turn::kTaken)) return;
    answer_now();
    // Said on the connection's own thread, so that nothing here is used after the coroutine goes
    // on.
    boost::asio::post(executor, [turn, &wake] {
      turn->finished = true;
      wake.cancel();
    });
  };
  boost::asio::post(*context_.large_lane, std::move(work));
  lane_wait_ = &wake;
  wake.expires_at(context_.handler.answer_by(parser_.head()));
  co_await wake.async_wait(token);
  lane_wait_ = nullptr;
  if (!turn->finished && turn->claim(Turn::kLate)) {
    context_.handler.too_late(parser_.head(), body_, answer_);
    co_return;
  }
  while (!turn->finished) {
    wake.expires_at(Clock::time_point::max());
    co_await wake.async_wait(token);
  }
}

// An answer that is given before the body has been read. Closed at once, the peer's kernel would
// drop the answer; so the rest of the body is taken and thrown away for a while.
template <class Stream>
boost::asio::awaitable<void> Session<Stream>::answer_early() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  write_answer(answer_, true, parser_.head_only(), out_);
  end_request();
  allow(context_.options.write);
  const auto bytes = boost::asio::buffer(out_);
  co_await boost::asio::async_write(stream_, bytes, token);
  end_answer();
  if (!error_) co_await drain();
}

template <class Stream>
boost::asio::awaitable<void> Session<Stream>::drain() {
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error_);
  allow(context_.options.linger);
  stop_sending(stream_);
  body_.resize(kPrefixBytes);
  const auto scratch = boost::asio::buffer(body_);
  std::uint64_t drained = 0;
  while (!error_ && drained < kMaxLingerBytes) {
    drained += co_await raw_stream(stream_).async_read_some(scratch, token);
  }
}

}  // namespace plimsoll::webhook::net

#include "webhook/net/session_body.h"  // how a session reads bodies
