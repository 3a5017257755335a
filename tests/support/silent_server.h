// An API server that takes connections and requests and never says a word.
#pragma once

#include <cstdlib>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "webhook/cluster/access.h"

namespace plimsoll::webhook {

// The system takes its connections, a backlog full of them.
class SilentServer {
 public:
  SilentServer() : acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {}

  std::unique_ptr<cluster::AccessSource> access() const {
    cluster::AccessConfig config;
    config.server.tls = false;
    config.server.host = "127.0.0.1";
    config.server.port = acceptor_.local_endpoint().port();
    config.server.target.clear();
    auto made = cluster::AccessSource::make(std::move(config));
    if (!made) std::abort();
    return *std::move(made);
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace plimsoll::webhook
