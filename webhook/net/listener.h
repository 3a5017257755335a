// A listening socket and what happens to the connections that come in on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "policy/result.h"
#include "webhook/net/session.h"

namespace plimsoll::webhook::net {

// Counts something up for as long as it lives, wherever it is moved.
class GaugeHold {
 public:
  explicit GaugeHold(std::atomic<std::uint64_t>& gauge) : gauge_(&gauge) { ++gauge; }
  GaugeHold(GaugeHold&& other) noexcept : gauge_(std::exchange(other.gauge_, nullptr)) {}
  GaugeHold& operator=(GaugeHold&&) = delete;
  ~GaugeHold() { release(); }

  void release() {
    if (gauge_ != nullptr) --*gauge_;
    gauge_ = nullptr;
  }

 private:
  std::atomic<std::uint64_t>* gauge_;
};

// What callers have to show at the handshake.
struct ClientDemand {
  const Snapshot<ClientAuthorities>* authorities = nullptr;  // null: nothing
  ClientRefused refused;
};

class Listener {
 public:
  // Connections are handed to `fronts` in turn. With `tls`, each begins with a handshake, in
  // which `demand` is made; both are null for plain ones.
  Listener(boost::asio::io_context& io,
           std::vector<Front*> fronts,
           SessionContext context,
           const Snapshot<TlsContext>* tls,
           const ClientDemand* demand);

  // Binds and listens. Returns the bound address, "127.0.0.1:43215" or "[::]:8443".
  policy::Result<std::string> open(std::string_view address);
  // Accepts until `close`, beginning after `delay`.
  void start(std::chrono::milliseconds delay = {});
  void close();

 private:
  boost::asio::awaitable<void> accept_loop(std::chrono::milliseconds delay);
  boost::asio::awaitable<void> serve(Socket socket, Front& front, GaugeHold open);
  boost::asio::awaitable<void> serve_tls(Socket socket,
                                         Front& front,
                                         std::shared_ptr<const TlsContext> tls,
                                         GaugeHold open,
                                         GaugeHold handshaking);
  boost::asio::awaitable<void> turn_away(TlsStream& stream, Connection& connection);
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  policy::Result<void> bind(const boost::asio::ip::tcp::endpoint& endpoint);
  bool full() const;
  void launch(Socket socket, Front& front);

  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<Front*> fronts_;
  std::size_t next_ = 0;
  SessionContext context_;
  const Snapshot<TlsContext>* tls_;
  const ClientDemand* demand_;
};

}  // namespace plimsoll::webhook::net
