#include "webhook/net/client_connection.h"

#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "webhook/net/address_policy.h"
#include "webhook/net/client_tls_native.h"

namespace plimsoll::webhook::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Done = std::expected<void, FetchError>;

constexpr std::chrono::milliseconds kResolveTime{1'000};
constexpr std::chrono::milliseconds kConnectTime{1'000};
constexpr std::chrono::milliseconds kHandshakeTime{1'500};
constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::size_t kMaxTunnelHead = 8 * 1024;

std::unexpected<FetchError> failed(FetchFault fault, std::string detail) {
  return std::unexpected(FetchError{fault, std::move(detail)});
}

std::string words_of(const error_code& error) {
  if (error == asio::error::connection_refused) return "connection refused";
  if (error == asio::error::host_unreachable) return "no route to it";
  if (error == asio::error::network_unreachable) return "its network cannot be reached";
  if (error == asio::error::connection_reset) return "connection reset";
  return "the connection failed";
}

template <class Stream>
asio::awaitable<void> write_all(Stream& stream, std::string_view bytes, error_code& error) {
  auto token = asio::redirect_error(asio::use_awaitable, error);
  std::size_t written = 0;
  while (!error && written < bytes.size()) {
    const auto rest = asio::buffer(bytes.data() + written, bytes.size() - written);
    written += co_await stream.async_write_some(rest, token);
  }
}

// Why a handshake failed, without a word of the peer.
std::string tls_words(SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  ERR_clear_error();
  if (verified == X509_V_OK) return "no TLS was agreed upon";
  return std::string("its certificate: ") + X509_verify_cert_error_string(verified);
}

}  // namespace

bool wants_certificate(const error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) ==
             SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
}

Watchdog::Watchdog(asio::ip::tcp::socket& socket)
    : timer_(socket.get_executor()), state_(std::make_shared<State>()) {
  state_->socket = &socket;
}

Watchdog::~Watchdog() {
  state_->socket = nullptr;
}

void Watchdog::allow_until(Clock::time_point by) {
  const std::uint64_t turn = ++state_->turn;
  timer_.expires_at(by);
  timer_.async_wait([state = state_, turn](const error_code& error) {
    if (error || state->turn != turn || state->socket == nullptr) return;
    state->fired = true;
    error_code ignored;
    state->socket->close(ignored);
  });
}

void Watchdog::rest() {
  ++state_->turn;
  timer_.cancel();
}

ClientConnection::ClientConnection(asio::io_context& io) : socket_(io) {}

void ClientConnection::close() {
  error_code ignored;
  socket_.close(ignored);
}

bool ClientConnection::is_alive() {
  pollfd entry{socket_.native_handle(), POLLIN, 0};
  return socket_.is_open() && ::poll(&entry, 1, 0) == 0;
}

asio::awaitable<Done> ClientConnection::connect(std::string host,
                                                std::uint16_t port,
                                                bool any_address,
                                                Deadline deadline,
                                                NameResolver& resolver) {
  const Deadline resolve_by{deadline.within(kResolveTime)};
  const auto addresses = co_await resolver.resolve(host, resolve_by);
  if (!addresses) co_return std::unexpected(addresses.error());
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  FetchError last{FetchFault::kAddressBlocked, ""};
  for (const asio::ip::address& address : *addresses) {
    const AddressClass address_class = classify(address);
    if (address_class == AddressClass::kForbidden) {
      last.detail = "an address of a kind that is never asked";
      continue;
    }
    if (address_class == AddressClass::kPrivate && !any_address) {
      last.detail = "a private address, and the registry is not configured as private";
      continue;
    }
    if (deadline.passed()) break;
    error_code ignored;
    socket_.close(ignored);
    watchdog_.allow_until(deadline.within(kConnectTime));
    const asio::ip::tcp::endpoint endpoint(address, port);
    co_await socket_.async_connect(endpoint, token);
    if (!error && !watchdog_.fired()) {
      socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
      co_return Done();
    }
    if (watchdog_.fired()) co_return failed(FetchFault::kTimeout, "no connection in time");
    last = {FetchFault::kConnect, words_of(error)};
  }
  co_return std::unexpected(last);
}

// RFC 9110 9.3.6.
asio::awaitable<Done> ClientConnection::tunnel(Url url,
                                               std::string authorization,
                                               Deadline deadline) {
  const std::string host =
      url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  const std::string target = host + ":" + std::to_string(url.port);
  std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!authorization.empty()) head += "Proxy-Authorization: " + authorization + "\r\n";
  head += "\r\n";
  watchdog_.allow_until(deadline.within(kConnectTime));
  error_code error;
  co_await write(head, error);
  std::string answer;
  while (!error && answer.find("\r\n\r\n") == std::string::npos) {
    if (answer.size() > kMaxTunnelHead) {
      co_return failed(FetchFault::kBroken, "the proxy's answer is no HTTP");
    }
    co_await read_some(error);
    const auto bytes = buffer_.data();
    answer.append(static_cast<const char*>(bytes.data()), bytes.size());
    buffer_.consume(bytes.size());
  }
  if (watchdog_.fired()) co_return failed(FetchFault::kTimeout, "the proxy did not answer");
  if (error) co_return failed(FetchFault::kConnect, "the proxy ended the connection");
  if (answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200")) co_return Done();
  co_return failed(FetchFault::kConnect, "the proxy refused");
}

asio::awaitable<Done> ClientConnection::shake_hands(Target target) {
  tls_.emplace(socket_, target.access.tls->native().context);
  SSL* ssl = tls_->native_handle();
  error_code error;
  const std::string& own = target.access.tls_name;
  const std::string& name = own.empty() ? target.url.host : own;
  asio::ip::make_address(name, error);
  if (!error) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, name.c_str());
    SSL_set_tlsext_host_name(ssl, name.c_str());
  }
  watchdog_.allow_until(target.deadline.within(kHandshakeTime));
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await tls_->async_handshake(asio::ssl::stream_base::client, token);
  if (watchdog_.fired()) co_return failed(FetchFault::kTimeout, "the TLS handshake took too long");
  if (error) co_return failed(FetchFault::kTls, tls_words(ssl));
  co_return Done();
}

asio::awaitable<Done> ClientConnection::open(Target target, NameResolver& resolver) {
  Done done;
  if (target.proxy != nullptr) {
    // The proxy is configured, so it may be anywhere; what it connects to it resolves itself.
    error_code error;
    const asio::ip::address literal = asio::ip::make_address(target.url.host, error);
    const bool is_literal = !error;
    if (is_literal && classify(literal) == AddressClass::kForbidden) {
      co_return failed(FetchFault::kAddressBlocked, "an address of a kind that is never asked");
    }
    if (!target.access.named) {
      co_return failed(FetchFault::kNotAllowed,
                       "there is a proxy, so only registries that are configured are asked");
    }
    done =
        co_await connect(target.proxy->host, target.proxy->port, true, target.deadline, resolver);
    if (done && target.url.tls) {
      done = co_await tunnel(target.url, target.proxy->authorization, target.deadline);
    }
  } else {
    const bool any = target.access.configured;
    done = co_await connect(target.url.host, target.url.port, any, target.deadline, resolver);
  }
  if (done && target.url.tls) done = co_await shake_hands(target);
  co_return done;
}

asio::awaitable<std::size_t> ClientConnection::read_some(error_code& error) {
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const auto room = buffer_.prepare(kReadBytes);
  std::size_t bytes = 0;
  if (tls_) {
    bytes = co_await tls_->async_read_some(room, token);
  } else {
    bytes = co_await socket_.async_read_some(room, token);
  }
  buffer_.commit(bytes);
  co_return bytes;
}

asio::awaitable<void> ClientConnection::write(std::string_view bytes, error_code& error) {
  if (tls_) {
    co_await write_all(*tls_, bytes, error);
  } else {
    co_await write_all(socket_, bytes, error);
  }
}

}  // namespace plimsoll::webhook::net
