// A server on loopback that answers each request as a function says, over plain HTTP.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "webhook/cluster/access.h"

namespace plimsoll::webhook {

// Answers on a thread of its own, one connection after the other, one request on each.
class CannedServer {
 public:
  struct Answer {
    unsigned status = 200;
    std::string body;
  };
  using Answers = std::function<Answer(const std::string& target)>;

  explicit CannedServer(Answers answers)
      : answers_(std::move(answers)), thread_([this] { serve(); }) {}
  ~CannedServer() {
    stopping_ = true;
    boost::system::error_code ignored;
    Tcp::socket last(io_);
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::unique_ptr<cluster::AccessSource> access() const {
    cluster::AccessConfig config;
    config.server = {
        .tls = false, .host = "127.0.0.1", .port = acceptor_.local_endpoint().port(), .target = ""};
    return *cluster::AccessSource::make(std::move(config));
  }

 private:
  using Tcp = boost::asio::ip::tcp;

  void serve() {
    while (true) {
      boost::system::error_code ended;
      Tcp::socket socket(io_);
      acceptor_.accept(socket, ended);
      if (stopping_) return;
      if (!ended) serve_one(socket);
    }
  }

  void serve_one(Tcp::socket& socket) {
    boost::system::error_code ended;  // a client that has heard enough hangs up
    std::string head;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(head), "\r\n\r\n", ended);
    const std::size_t start = head.find(' ') + 1;
    const Answer answer = answers_(head.substr(start, head.find(' ', start) - start));
    const std::string text =
        "HTTP/1.1 " + std::to_string(answer.status) +
        " X\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size()) +
        "\r\n\r\n" + answer.body;
    boost::asio::write(socket, boost::asio::buffer(text), ended);
  }

  Answers answers_;
  boost::asio::io_context io_;
  Tcp::acceptor acceptor_{io_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace plimsoll::webhook
