// One connection to a server that we ask: TCP, perhaps through a proxy, perhaps with TLS.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "webhook/net/fetch.h"
#include "webhook/net/name_resolver.h"
#include "webhook/net/proxy.h"

namespace plimsoll::webhook::net {

// Cuts a socket when its time is over, whatever the socket waits for.
class Watchdog {
 public:
  explicit Watchdog(boost::asio::ip::tcp::socket& socket);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  void allow_until(Clock::time_point by);
  void rest();
  bool fired() const { return state_->fired; }

 private:
  struct State {
    boost::asio::ip::tcp::socket* socket = nullptr;
    std::uint64_t turn = 0;  // a timer's handler that comes too late is of another turn
    bool fired = false;
  };

  boost::asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

// The alert certificate_required. With TLS 1.3 it comes after the handshake, in place of an answer.
bool wants_certificate(const boost::system::error_code& error);

class ClientConnection {
 public:
  explicit ClientConnection(boost::asio::io_context& io);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  struct Target {
    Url url;
    ServerAccess access;
    const Proxy* proxy = nullptr;
    Deadline deadline;
  };
  // Resolves, checks every address, connects to one that was checked, greets a proxy, shakes hands.
  boost::asio::awaitable<std::expected<void, FetchError>> open(Target target,
                                                               NameResolver& resolver);

  // Reads into `buffer` until `error` or some bytes.
  boost::asio::awaitable<std::size_t> read_some(boost::system::error_code& error);
  boost::asio::awaitable<void> write(std::string_view bytes, boost::system::error_code& error);

  Watchdog& watchdog() { return watchdog_; }
  boost::beast::flat_buffer& buffer() { return buffer_; }
  void close();

  Clock::time_point idle_since;  // of one that waits to be used again
  bool used = false;             // has answered a request already
  // While idle a server must be silent: a byte, or the end, and the connection is of no use.
  bool is_alive();

 private:
  using Socket = boost::asio::ip::tcp::socket;

  boost::asio::awaitable<std::expected<void, FetchError>> connect(std::string host,
                                                                  std::uint16_t port,
                                                                  bool any_address,
                                                                  Deadline deadline,
                                                                  NameResolver& resolver);
  boost::asio::awaitable<std::expected<void, FetchError>> tunnel(Url url,
                                                                 std::string authorization,
                                                                 Deadline deadline);
  boost::asio::awaitable<std::expected<void, FetchError>> shake_hands(Target target);

  Socket socket_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
  Watchdog watchdog_{socket_};
  boost::beast::flat_buffer buffer_;
};

}  // namespace plimsoll::webhook::net
