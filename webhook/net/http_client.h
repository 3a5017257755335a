// An HTTP client: kept connections, TLS, proxies, and an end to everything. It follows nothing and
// knows no credentials: who asks decides what an answer means.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "webhook/net/client_connection.h"
#include "webhook/net/fetch.h"
#include "webhook/net/name_resolver.h"
#include "webhook/net/proxy.h"

namespace plimsoll::webhook::net {

struct HttpClientOptions {
  std::string user_agent = "plimsoll";
  std::chrono::milliseconds first_byte{2'000};  // from the request to the answer's head
  std::chrono::milliseconds idle{60'000};       // how long a connection is kept
  std::size_t max_idle = 64;                    // connections that are kept, all servers together
  std::size_t max_idle_per_server = 8;
  std::uint32_t max_head = 32 * 1024;  // bytes of an answer's head
};

// Counted since the start.
struct HttpClientCounters {
  std::uint64_t requests = 0;
  std::uint64_t connections = 0;  // opened
  std::uint64_t reused = 0;
};

// Used on the thread of its io_context only; outlives every fetch.
class HttpClient {
 public:
  HttpClient(boost::asio::io_context& io, HttpClientOptions options, ProxySettings proxies);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // One request, one answer: of whatever status. Ends by the request's deadline.
  boost::asio::awaitable<FetchResult> fetch(FetchRequest request);

  const HttpClientCounters& counters() const { return counters_; }
  // Closes what has been idle for too long.
  void sweep();

 private:
  using ConnectionPointer = std::unique_ptr<ClientConnection>;
  struct Idle {
    std::string server;
    ConnectionPointer connection;
  };
  struct Exchange;

  std::string server_key(const FetchRequest& request) const;
  ConnectionPointer take_idle(const std::string& server);
  void keep(std::string server, ConnectionPointer connection);
  std::string head_of(const FetchRequest& request, const Proxy* proxy) const;
  boost::asio::awaitable<void> exchange(ClientConnection& connection, Exchange& exchange);

  boost::asio::io_context& io_;
  HttpClientOptions options_;
  ProxySettings proxies_;
  NameResolver resolver_;
  std::vector<Idle> idle_;  // those that were used last at the end
  HttpClientCounters counters_;
};

}  // namespace plimsoll::webhook::net
