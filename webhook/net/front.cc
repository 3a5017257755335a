#include "webhook/net/front.h"

#include <algorithm>
#include <malloc.h>

#include <boost/asio/post.hpp>

namespace plimsoll::webhook::net {

void Front::add(Connection& connection) {
  connection.place_ = connections_.size();
  connections_.push_back(&connection);
  peak_ = std::max(peak_, connections_.size());
}

void Front::remove(Connection& connection) {
  Connection* last = connections_.back();
  connections_[connection.place_] = last;
  last->place_ = connection.place_;
  connections_.pop_back();
}

bool Front::is_late(const Connection& connection, Clock::time_point now, bool crowded) const {
  return connection.expires <= now || connection.key_updates > kMaxKeyUpdates ||
         (crowded && connection.hand_shaken_by <= now);
}

void Front::sweep() {
  const Clock::time_point now = Clock::now();
  const bool crowded = counters_.handshaking >= max_handshakes_;
  // Closing only wakes the coroutine up; the list does not change under the loop.
  for (Connection* connection : connections_) {
    if (connection->quiet_since <= now - kQuietTime && !connection->in_request) {
      connection->quiet_since = Clock::time_point::max();
      connection->give_memory_back();
      ++given_back_;
    }
    if (!is_late(*connection, now, crowded)) continue;
    ++counters_.deadline_closes;
    connection->expires = Clock::time_point::max();
    connection->hand_shaken_by = Clock::time_point::max();
    connection->key_updates = 0;
    connection->close_now();
  }
  trim();
}

// The C library keeps what a burst of connections needed; it is given back once they are gone.
void Front::trim() {
  constexpr std::size_t kWorthwhile = 64;
  constexpr std::chrono::seconds kPause{1};
  const Clock::time_point now = Clock::now();
  const bool fell = peak_ >= connections_.size() + kWorthwhile;
  if ((!fell && given_back_ < kWorthwhile) || now < trimmed_ + kPause) return;
  malloc_trim(0);
  trimmed_ = now;
  given_back_ = 0;
  peak_ = connections_.size();
}

void Front::start_sweeping() {
  sweep_timer_.expires_after(kSweepPeriod);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    sweep();
    start_sweeping();
  });
}

void Front::start_thread() {
  // Before there are threads: the first call sets the C library's allocator up where another has
  // taken its place (a sanitizer's), and from two threads at once that is not safe.
  malloc_trim(0);
  start_sweeping();
  thread_ = std::thread([this] { io_.run(); });
}

void Front::stop() {
  boost::asio::post(io_, [this] {
    stopping_ = true;  // the timer may have fired already, and would start anew
    sweep_timer_.cancel();
    for (Connection* connection : connections_) connection->close_now();
    work_.reset();
  });
  if (thread_.joinable()) thread_.join();
}

}  // namespace plimsoll::webhook::net
