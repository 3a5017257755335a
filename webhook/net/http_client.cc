#include "webhook/net/http_client.h"

#include <algorithm>
#include <utility>

#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include "policy/ascii.h"
#include "webhook/net/sink_body.h"

namespace plimsoll::webhook::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

FetchError fault_of(const error_code& error, bool timed_out, std::string_view what) {
  if (timed_out) return {FetchFault::kTimeout, std::string(what) + " took too long"};
  if (wants_certificate(error)) {
    return {FetchFault::kWantsCertificate, "it asks for a client certificate"};
  }
  if (error == http::error::body_limit) return {FetchFault::kTooLarge, "its answer is too long"};
  if (error == http::error::header_limit) {
    return {FetchFault::kBroken, "the head of its answer is too long"};
  }
  if (error == http::error::unexpected_body) return {FetchFault::kStopped, ""};
  if (error == http::error::partial_message || error == asio::error::eof) {
    return {FetchFault::kBroken, "its answer ended early"};
  }
  if (error.category() == http::make_error_code(http::error::bad_version).category()) {
    return {FetchFault::kBroken, "its answer is no HTTP"};
  }
  return {FetchFault::kBroken, "it ended the connection"};
}

constexpr std::size_t kMaxErrorBody = 64 * 1024;

bool may_repeat(const FetchRequest& request) {
  return request.repeatable || request.method == "GET" || request.method == "HEAD";
}

}  // namespace

std::string_view FetchAnswer::header(std::string_view name) const {
  const auto at = std::ranges::find(headers, name, &Headers::value_type::first);
  return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

// One request on one connection, and what became of it.
struct HttpClient::Exchange {
  Exchange(const FetchRequest& asked, std::uint32_t max_head) : request(asked) {
    parser.header_limit(max_head);
    parser.body_limit(asked.body_limit);
    parser.skip(asked.method == "HEAD");
    parser.get().body() = [this](std::string_view piece) { return take_body(piece); };
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  bool take_body(std::string_view piece);
  // After bytes have come, or the connection has ended.
  void note_read(std::size_t bytes, error_code& error);
  // True: the head has just been completed.
  bool parse(ClientConnection& connection, error_code& error);
  void conclude(ClientConnection& connection, const error_code& error);

  const FetchRequest& request;
  http::response_parser<SinkBody> parser;
  FetchAnswer answer;
  FetchError failure;
  bool failed = false;
  bool silent = true;  // not one byte of an answer came
  bool keep = false;   // the connection may be used again
  bool more = true;    // bytes are needed
  bool head_done = false;
  bool to_sink = false;  // the body is what was asked for
};

bool HttpClient::Exchange::take_body(std::string_view piece) {
  if (to_sink) return request.sink(piece);
  // What a failing answer says is of no use beyond its beginning.
  if (answer.status != 200 && answer.body.size() + piece.size() > kMaxErrorBody) return false;
  answer.body.append(piece);
  return true;
}

void HttpClient::Exchange::note_read(std::size_t bytes, error_code& error) {
  // Many servers end a TLS connection without saying so: the parser knows what is complete.
  const error_code ended_early = asio::ssl::error::stream_truncated;
  if (bytes > 0) silent = false;
  const bool ended = error == asio::error::eof || error == ended_early;
  if (ended && parser.got_some()) parser.put_eof(error);
}

bool HttpClient::Exchange::parse(ClientConnection& connection, error_code& error) {
  auto& buffer = connection.buffer();
  buffer.consume(parser.put(buffer.data(), error));
  more = error == http::error::need_more || buffer.size() == 0;
  if (error == http::error::need_more) error = {};
  if (error || head_done || !parser.is_header_done()) return false;
  // The head alone comes first: where the body goes depends on its status.
  head_done = true;
  parser.eager(true);
  answer.status = parser.get().result_int();
  to_sink = request.sink && (answer.status == 200 || answer.status == 206);
  if (to_sink && request.opened) request.opened();
  return true;
}

void HttpClient::Exchange::conclude(ClientConnection& connection, const error_code& error) {
  const bool cut_short =
      head_done && answer.status >= 300 &&
      (error == http::error::unexpected_body || error == http::error::body_limit);
  if (!cut_short && (error || !parser.is_done())) {
    failed = true;
    const std::string_view step = head_done ? "the body of its answer" : "its answer";
    failure = fault_of(error, connection.watchdog().fired(), step);
    return;
  }
  for (const auto& field : parser.get()) {
    std::string name;
    for (const char c : field.name_string()) name += policy::to_lower(c);
    answer.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  keep = !cut_short && parser.keep_alive() && connection.buffer().size() == 0;
}

HttpClient::HttpClient(asio::io_context& io, HttpClientOptions options, ProxySettings proxies)
    : io_(io), options_(std::move(options)), proxies_(std::move(proxies)), resolver_(io) {}

HttpClient::~HttpClient() = default;

// Connections of different trust are never mixed.
std::string HttpClient::server_key(const FetchRequest& request) const {
  std::string key = request.url.tls ? "s" : "p";
  key += request.access.configured ? "c " : "u ";
  key += request.url.host + " " + std::to_string(request.url.port) + " ";
  key += std::to_string(reinterpret_cast<std::uintptr_t>(request.access.tls.get()));
  return key;
}

HttpClient::ConnectionPointer HttpClient::take_idle(const std::string& server) {
  sweep();
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i].server != server) continue;
    ConnectionPointer connection = std::move(idle_[i].connection);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    if (connection->is_alive()) return connection;
  }
  return nullptr;
}

void HttpClient::keep(std::string server, ConnectionPointer connection) {
  connection->idle_since = Clock::now();
  connection->used = true;
  connection->watchdog().rest();
  const auto same = [&server](const Idle& idle) { return idle.server == server; };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(idle_, same));
  if (count >= options_.max_idle_per_server) return;
  if (idle_.size() >= options_.max_idle) idle_.erase(idle_.begin());
  idle_.push_back({std::move(server), std::move(connection)});
}

void HttpClient::sweep() {
  const Clock::time_point now = Clock::now();
  std::erase_if(idle_, [this, now](const Idle& idle) {
    return now - idle.connection->idle_since > options_.idle;
  });
}

std::string HttpClient::head_of(const FetchRequest& request, const Proxy* proxy) const {
  std::string head(request.method);
  head += ' ';
  const bool absolute = proxy != nullptr && !request.url.tls;
  if (absolute) head += "http://" + request.url.authority();
  head += request.url.target + " HTTP/1.1\r\nHost: " + request.url.authority() + "\r\n";
  head += "User-Agent: " + options_.user_agent + "\r\n";
  if (absolute && !proxy->authorization.empty()) {
    head += "Proxy-Authorization: " + proxy->authorization + "\r\n";
  }
  for (const auto& [name, value] : request.headers) {
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  }
  if (!request.body.empty() || request.method == "POST") {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  head += "\r\n";
  return head;
}

asio::awaitable<void> HttpClient::exchange(ClientConnection& connection, Exchange& exchange) {
  const FetchRequest& request = exchange.request;
  Watchdog& watchdog = connection.watchdog();
  const bool stall = request.stall_time.count() > 0;
  const auto body_time = stall ? request.stall_time : request.body_time;
  error_code error;
  const std::string bytes = head_of(request, proxies_.proxy_for(request.url)) + request.body;
  const bool own = request.head_time.count() > 0;
  const auto head_time = own ? request.head_time : options_.first_byte;
  watchdog.allow_until(request.deadline.within(head_time));
  co_await connection.write(bytes, error);
  while (!error && !exchange.parser.is_done()) {
    if (exchange.more) {
      const std::size_t read = co_await connection.read_some(error);
      exchange.note_read(read, error);
      if (error || exchange.parser.is_done()) break;
      if (exchange.head_done && stall) watchdog.allow_until(request.deadline.within(body_time));
    }
    const bool head = exchange.parse(connection, error);
    if (head) watchdog.allow_until(request.deadline.within(body_time));
  }
  exchange.conclude(connection, error);
}

asio::awaitable<FetchResult> HttpClient::fetch(FetchRequest request) {
  ++counters_.requests;
  const std::string server = server_key(request);
  const Proxy* proxy = proxies_.proxy_for(request.url);
  if (proxy != nullptr && !request.access.named) {
    co_return std::unexpected(
        FetchError{FetchFault::kNotAllowed,
                   "there is a proxy, so only registries that are configured are asked"});
  }
  ConnectionPointer connection = may_repeat(request) ? take_idle(server) : nullptr;
  while (true) {
    const bool reused = connection != nullptr;
    if (reused) {
      ++counters_.reused;
    } else {
      connection = std::make_unique<ClientConnection>(io_);
      ++counters_.connections;
      const ClientConnection::Target target{request.url, request.access, proxy, request.deadline};
      const auto opened = co_await connection->open(target, resolver_);
      if (!opened) co_return std::unexpected(opened.error());
    }
    Exchange exchange(request, options_.max_head);
    co_await this->exchange(*connection, exchange);
    if (!exchange.failed) {
      if (exchange.keep) keep(server, std::move(connection));
      co_return std::move(exchange.answer);
    }
    // The server closed what we had kept: that says nothing about the request.
    const bool again = reused && exchange.silent && exchange.failure.fault == FetchFault::kBroken;
    if (!again) co_return std::unexpected(exchange.failure);
    connection.reset();
  }
}

}  // namespace plimsoll::webhook::net
