#include "webhook/net/listener.h"

#include <array>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include "webhook/net/client_check.h"
#include "webhook/net/tls_native.h"

namespace plimsoll::webhook::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using policy::Error;
using policy::ErrorKind;

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kFullPause{20};
constexpr std::chrono::milliseconds kFirstErrorPause{50};
constexpr std::chrono::milliseconds kLastErrorPause{1000};
// Of what a client that is refused has sent already, thrown away for it to read why.
constexpr std::size_t kMaxRefusedBytes = 4U << 20U;

struct HostPort {
  std::string host;
  std::string port;
};

policy::Result<HostPort> split_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == address.size()) {
    return std::unexpected(Error{ErrorKind::kInvalidInput,
                                 fmt::format("{}: write HOST:PORT, as in [::]:8443", address)});
  }
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "::";  // every address, of both families
  return HostPort{std::string(host), std::string(address.substr(colon + 1))};
}

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  if (endpoint.address().is_v6()) return fmt::format("[{}]:{}", host, endpoint.port());
  return fmt::format("{}:{}", host, endpoint.port());
}

std::string peer_of(const Socket& socket) {
  error_code error;
  const asio::ip::tcp::endpoint endpoint = socket.remote_endpoint(error);
  return error ? "" : text_of(endpoint);
}

}  // namespace

Listener::Listener(asio::io_context& io,
                   std::vector<Front*> fronts,
                   SessionContext context,
                   const Snapshot<TlsContext>* tls,
                   const ClientDemand* demand)
    : acceptor_(io), fronts_(std::move(fronts)), context_(context), tls_(tls), demand_(demand) {}

policy::Result<void> Listener::bind(const asio::ip::tcp::endpoint& endpoint) {
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    acceptor_.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (!error) return {};
  error_code ignored;
  acceptor_.close(ignored);
  return std::unexpected(
      Error{ErrorKind::kUnavailable,
            fmt::format("cannot listen on {}: {}", text_of(endpoint), error.message())});
}

policy::Result<std::string> Listener::open(std::string_view address) {
  const policy::Result<HostPort> parts = split_address(address);
  if (!parts) return std::unexpected(parts.error());
  asio::ip::tcp::resolver resolver(acceptor_.get_executor());
  error_code error;
  const auto flags = asio::ip::tcp::resolver::passive | asio::ip::tcp::resolver::numeric_service;
  const auto endpoints = resolver.resolve(parts->host, parts->port, flags, error);
  if (error || endpoints.empty()) {
    return std::unexpected(
        Error{ErrorKind::kInvalidInput, fmt::format("{}: {}", address, error.message())});
  }
  const asio::ip::tcp::endpoint first = *endpoints.begin();
  policy::Result<void> bound = bind(first);
  if (!bound && first.address().is_v6() && first.address().is_unspecified()) {
    bound = bind({asio::ip::tcp::v4(), first.port()});  // a host without IPv6
  }
  if (!bound) return std::unexpected(bound.error());
  return text_of(acceptor_.local_endpoint(error));
}

// Supervises the accept loop: whatever ends it but `close`, it begins again.
void Listener::start(std::chrono::milliseconds delay) {
  asio::co_spawn(acceptor_.get_executor(), accept_loop(delay), [this](std::exception_ptr failure) {
    if (!failure) return;
    ++context_.counters.failures;
    if (acceptor_.is_open()) start(kLastErrorPause);
  });
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

bool Listener::full() const {
  return context_.counters.open >= context_.options.max_connections ||
         context_.counters.handshaking >= context_.options.max_handshakes;
}

asio::awaitable<void> Listener::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(acceptor_.get_executor());
  timer.expires_after(time);
  error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await timer.async_wait(token);
}

asio::awaitable<void> Listener::accept_loop(std::chrono::milliseconds delay) {
  if (delay.count() > 0) co_await pause(delay);
  std::chrono::milliseconds error_pause = kFirstErrorPause;
  while (acceptor_.is_open()) {
    if (full()) {
      co_await pause(kFullPause);
      continue;
    }
    Front& front = *fronts_[next_];
    next_ = (next_ + 1) % fronts_.size();
    Socket socket(front.io());
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await acceptor_.async_accept(socket, token);
    if (error && !acceptor_.is_open()) co_return;
    if (error) {
      // Out of descriptors, or the peer has gone: never a reason to stop accepting.
      ++context_.counters.accept_errors;
      co_await pause(error_pause);
      error_pause = std::min(2 * error_pause, kLastErrorPause);
      continue;
    }
    error_pause = kFirstErrorPause;
    launch(std::move(socket), front);
  }
}

void Listener::launch(Socket socket, Front& front) {
  ServerCounters& counters = context_.counters;
  ++counters.accepted;
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  // The place where exceptions of a connection end.
  const auto on_end = [&counters](std::exception_ptr failure) {
    if (failure) ++counters.failures;
  };
  // Counted from here on, so that the limits hold at once.
  GaugeHold open(counters.open);
  if (tls_ == nullptr) {
    asio::co_spawn(front.io(), serve(std::move(socket), front, std::move(open)), on_end);
    return;
  }
  auto session = serve_tls(
      std::move(socket), front, tls_->read(), std::move(open), GaugeHold(counters.handshaking));
  asio::co_spawn(front.io(), std::move(session), on_end);
}

asio::awaitable<void> Listener::serve(Socket socket, Front& front, GaugeHold /*open*/) {
  Session<Socket> session(socket, context_);
  const Front::Entry entry(front, session);
  co_await session.run();
}

asio::awaitable<void> Listener::serve_tls(Socket socket,
                                          Front& front,
                                          std::shared_ptr<const TlsContext> tls,
                                          GaugeHold /*open*/,
                                          GaugeHold handshaking) {
  TlsStream stream(std::move(socket), tls->native->context);
  Session<TlsStream> session(stream, context_);
  const Front::Entry entry(front, session);
  count_key_updates(stream.native_handle(), session.key_updates);
  const Clock::time_point began = Clock::now();
  session.expires = began + context_.options.handshake;
  session.hand_shaken_by = began + kCrowdedHandshake;
  std::optional<ClientCheck> check;
  if (demand_->authorities != nullptr) {
    check.emplace(demand_->authorities->read());
    check->demand_of(stream);
  }
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await stream.async_handshake(asio::ssl::stream_base::server, token);
  handshaking.release();
  session.hand_shaken_by = Clock::time_point::max();
  if (error) {
    ++context_.counters.handshake_errors;
    if (!check) co_return;
    const std::string why = check->refusal(error);
    if (!why.empty()) demand_->refused(peer_of(stream.next_layer()), why);
    co_await turn_away(stream, session);
    co_return;
  }
  co_await session.run();
}

// The alert is on its way. With TLS 1.3 the client may have sent its request by now; closed at
// once, its kernel would drop the alert.
asio::awaitable<void> Listener::turn_away(TlsStream& stream, Connection& connection) {
  connection.expires = Clock::now() + context_.options.linger;
  stop_sending(stream);
  std::array<char, 4096> scratch;
  const auto buffer = asio::buffer(scratch);
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  std::size_t thrown_away = 0;
  while (!error && thrown_away < kMaxRefusedBytes) {
    thrown_away += co_await raw_stream(stream).async_read_some(buffer, token);
  }
}

}  // namespace plimsoll::webhook::net
