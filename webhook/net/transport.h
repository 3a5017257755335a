// What differs between a connection with TLS and one without.
#pragma once

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace plimsoll::webhook::net {

using Socket = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<Socket>;

// The stream below TLS: for throwing bytes away without decrypting them.
inline Socket& raw_stream(Socket& socket) {
  return socket;
}
inline Socket& raw_stream(TlsStream& stream) {
  return stream.next_layer();
}

template <class Stream>
void close_stream(Stream& stream) {
  boost::system::error_code ignored;
  raw_stream(stream).close(ignored);
}

template <class Stream>
void stop_sending(Stream& stream) {
  boost::system::error_code ignored;
  raw_stream(stream).shutdown(Socket::shutdown_send, ignored);
}

// Ends an orderly connection after its last answer: says so, and waits for the peer to do the same.
// The caller's deadline bounds the wait.
inline boost::asio::awaitable<void> say_goodbye(TlsStream& stream) {
  boost::system::error_code ignored;
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ignored);
  co_await stream.async_shutdown(token);
}

inline boost::asio::awaitable<void> say_goodbye(Socket& socket) {
  boost::system::error_code error;
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
  stop_sending(socket);
  char scratch[1024];
  const auto buffer = boost::asio::buffer(scratch);
  while (!error) co_await socket.async_read_some(buffer, token);
}

}  // namespace plimsoll::webhook::net
