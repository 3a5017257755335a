// One thread with an io_context of its own, the connections that live on it, and their deadlines.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "webhook/net/handler.h"
#include "webhook/net/server.h"

namespace plimsoll::webhook::net {

// What a front knows of a connection. Used on the front's thread only.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  // Closes the socket; what waits for it ends with an error.
  virtual void close_now() = 0;
  // Gives back what only a request needs. Called while none is being read or answered.
  virtual void give_memory_back() = 0;

  Clock::time_point expires = Clock::time_point::max();  // closed at the first sweep after it
  // While too many shake hands at once, a handshake that has not ended by then makes room.
  Clock::time_point hand_shaken_by = Clock::time_point::max();
  unsigned key_updates = 0;  // of the peer, counted by the TLS layer
  bool in_request = false;   // between the head and the answer
  Clock::time_point quiet_since = Clock::time_point::max();  // waiting for the next request

 private:
  friend class Front;
  std::size_t place_ = 0;
};

// Deadlines are coarse: a sweep over all connections, not a timer for each.
inline constexpr std::chrono::milliseconds kSweepPeriod{250};
// What a handshake has while too many are under way: an API server needs milliseconds.
inline constexpr std::chrono::milliseconds kCrowdedHandshake{1000};
// After so much silence a connection keeps only what it waits with.
inline constexpr std::chrono::milliseconds kQuietTime{2000};

class Front {
 public:
  Front(ServerCounters& counters, std::size_t max_handshakes)
      : counters_(counters), max_handshakes_(max_handshakes), sweep_timer_(io_) {}

  boost::asio::io_context& io() { return io_; }

  // Registers a connection for as long as the entry lives.
  class Entry {
   public:
    Entry(Front& front, Connection& connection) : front_(front), connection_(connection) {
      front_.add(connection_);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { front_.remove(connection_); }

   private:
    Front& front_;
    Connection& connection_;
  };

  // Starts sweeping; without a thread of its own the owner runs the io_context.
  void start_sweeping();
  void start_thread();
  // Closes every connection and ends the thread.
  void stop();

 private:
  void add(Connection& connection);
  void remove(Connection& connection);
  void sweep();
  void trim();

  bool is_late(const Connection& connection, Clock::time_point now, bool crowded) const;

  ServerCounters& counters_;
  std::size_t max_handshakes_;
  // Before the io_context: connections that are still there go with it, and take themselves off.
  std::vector<Connection*> connections_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  boost::asio::steady_timer sweep_timer_;
  bool stopping_ = false;
  std::size_t peak_ = 0;        // connections since memory was last given back
  std::size_t given_back_ = 0;  // connections that gave memory back since then
  Clock::time_point trimmed_;
  std::thread thread_;
};

}  // namespace plimsoll::webhook::net
