// What a connection asks of whoever answers its requests. Nothing of Asio or Beast is in here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::webhook::net {

using Clock = std::chrono::steady_clock;

// Everything of a request but its body. Views are valid until the answer is written.
struct RequestHead {
  std::string_view method;  // "POST"
  std::string_view target;  // as sent: path and query
  std::string_view path;    // the target up to '?', not decoded, not normalised
  std::string_view query;   // after '?', not decoded
  bool has_content_type = false;
  std::string_view content_type;
  std::string_view content_encoding;            // empty: none
  std::optional<std::uint64_t> content_length;  // nothing: chunked or no body
  Clock::time_point received;                   // when the head was complete
};

// Where an answer is written. One object per connection, its memory is kept between requests.
struct Answer {
  unsigned status = 200;
  std::string_view content_type = "application/json";  // constants only
  std::string_view allow;    // value of Allow, constants only; empty: none
  bool retry_after = false;  // adds "Retry-After: 1"
  bool close = false;        // adds "Connection: close" and ends the connection after draining
  std::string body;

  void reset() {
    status = 200;
    content_type = "application/json";
    allow = {};
    retry_after = false;
    close = false;
    body.clear();
  }
};

// What to do with a request whose head has been read.
struct Plan {
  bool answered = false;     // the answer is ready; the body is not wanted (the session drains it)
  std::uint64_t charge = 0;  // the handler's own: what `done` has to give back
  std::uint64_t body_limit = 0;  // the body may be this long; crossing it leads to `too_large`
  Clock::time_point body_by;  // the whole body must be there by then, or the connection is closed
};

// Wakes the connection that waits for an answer. May be called from any thread, at any time, after
// the connection has gone as well.
using Wake = std::function<void()>;

class WakeSource {
 public:
  virtual Wake wake() = 0;

 protected:
  ~WakeSource() = default;
};

// An answer that has to wait for something.
class PendingAnswer {
 public:
  PendingAnswer() = default;
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;
  virtual ~PendingAnswer() = default;

  // When to stop waiting.
  virtual Clock::time_point wait_until() const = 0;
  // Called once, on the connection's thread: when somebody has called the wake, or the time is
  // over. nullptr: the answer is there; else there is something more to wait for.
  virtual std::unique_ptr<PendingAnswer> finish(Answer& answer, WakeSource& wakes) = 0;
};

// Implementations are called from several threads at once, one call a connection at a time.
// They do not throw but for std::bad_alloc, and they do not block.
class Handler {
 public:
  virtual ~Handler() = default;

  // The head is complete, no byte of the body has been read. Fills `answer` if it can be given at
  // once (404, 405, 415, shedding).
  virtual Plan plan(const RequestHead& head, Answer& answer) = 0;

  // The body is longer than the plan allowed: by its Content-Length (`prefix` then holds up to
  // `kPrefixBytes` of it) or at the moment of crossing. The answer is sent with Connection: close.
  virtual void too_large(const RequestHead& head, std::string_view prefix, Answer& answer) = 0;

  // The whole request. `body` has kBodyPadding spare bytes of capacity behind its end and may be
  // changed; it is reused for the next request. Runs on the front thread, or, where `is_large` said
  // so, on the one thread that all large bodies share. nullptr: the answer is there. Else the
  // connection waits; `body` stays as it is until the answer is written.
  virtual std::unique_ptr<PendingAnswer> answer(const RequestHead& head,
                                                Plan& plan,
                                                std::string& body,
                                                Answer& answer,
                                                WakeSource& wakes) = 0;

  // A body of this length is for the shared thread.
  virtual bool is_large(std::uint64_t body_bytes) const = 0;

  // A large request whose turn did not come before `answer_by`.
  virtual void too_late(const RequestHead& head, std::string_view body, Answer& answer) = 0;

  // Until when `answer` must have begun for a large body.
  virtual Clock::time_point answer_by(const RequestHead& head) const = 0;

  // The request is over: answered, failed, or the connection went away. Called exactly once for
  // each call of `plan` that did not answer.
  virtual void done(const Plan& plan) = 0;
};

inline constexpr std::size_t kPrefixBytes = 64 * 1024;
inline constexpr std::size_t kBodyPadding = 64;

}  // namespace plimsoll::webhook::net
