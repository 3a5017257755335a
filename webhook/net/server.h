// The server: listeners, threads, connections, signals, and an end that loses no call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "webhook/net/client_authorities.h"
#include "webhook/net/handler.h"
#include "webhook/net/snapshot.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {

struct ServerOptions {
  unsigned front_threads = 0;          // 0: as many as processors may be used, 16 at most
  std::size_t max_connections = 1024;  // then no more are accepted until one ends
  std::size_t max_handshakes = 128;    // at the same time, likewise
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds header{10'000};  // from its first byte
  // The API server drops idle connections after 90 s; it must be the first to do so.
  std::chrono::milliseconds idle{180'000};
  std::chrono::milliseconds write{5'000};
  std::chrono::milliseconds linger{2'000};  // for the peer to close after an answer that ends it
  std::chrono::milliseconds shutdown_delay{10'000};
  std::chrono::milliseconds drain_timeout{95'000};
};

// Counted since the start, but for the gauges. Read by whoever shows metrics.
struct ServerCounters {
  std::atomic<std::uint64_t> open{0};         // gauge: connections
  std::atomic<std::uint64_t> handshaking{0};  // gauge
  std::atomic<std::uint64_t> busy{0};         // gauge: requests between head and answer
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> accept_errors{0};
  std::atomic<std::uint64_t> handshake_errors{0};
  std::atomic<std::uint64_t> bad_requests{0};     // not HTTP as it should be
  std::atomic<std::uint64_t> short_bodies{0};     // the peer went away in the middle of a body
  std::atomic<std::uint64_t> deadline_closes{0};  // closed because the peer was too slow
  std::atomic<std::uint64_t> failures{0};         // exceptions that ended a connection or a request
};

// Who is told of a client that was refused at the handshake: its address and why. From any thread.
using ClientRefused = std::function<void(std::string_view peer, std::string_view why)>;

class Server {
 public:
  // What is passed by reference must outlive the server.
  Server(const ServerOptions& options, const Snapshot<TlsContext>& tls, Handler& handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // "[::]:8443", "127.0.0.1:0", "localhost:8443". Where "[::]" is not to be had because the host
  // has no IPv6, 0.0.0.0 is taken. Returns the bound address. Call before `run`.
  policy::Result<std::string> listen(std::string_view address);
  // The same without TLS, for health and metrics; answered by the thread that calls `run`, until
  // the very end.
  policy::Result<std::string> listen_plain(std::string_view address, Handler& handler);

  // Reviews are taken only from clients with a certificate that these authorities vouch for; they
  // have been read already, and outlive the server. Those who are connected stay when they change.
  // Call before `listen`. Without it everyone may call; never asked at plain listeners.
  void demand_certificates(const Snapshot<ClientAuthorities>& clients, ClientRefused refused);

  // Calls `work` on the thread of `run` every `period`, until the end.
  void every(std::chrono::milliseconds period, std::function<void()> work);
  // What SIGHUP does; nothing by default.
  void on_hangup(std::function<void()> work);
  // Called once, when draining begins.
  void on_drain(std::function<void()> work);

  // Serves until SIGTERM or SIGINT have been handled; returns the exit code.
  // SIGTERM: answers carry "Connection: close"; after the shutdown delay nothing more is accepted;
  // ends when no connection is left, or at the drain timeout. SIGINT, or a second signal: ends when
  // no request is left, after 2 s at most.
  int run();

  bool draining() const;
  const ServerCounters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plimsoll::webhook::net
