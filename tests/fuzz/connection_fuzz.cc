// Any bytes on a connection, in memory: every call of `plan` that did not answer is followed by one
// `done`, and what comes back is HTTP.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>

#include "tests/support/memory_transport.h"
#include "webhook/net/session.h"

namespace {

namespace net = plimsoll::webhook::net;

class EchoLength final : public net::Handler {
 public:
  net::Plan plan(const net::RequestHead& head, net::Answer& answer) override {
    net::Plan plan;
    plan.answered = head.path != "/validate";
    if (plan.answered) {
      answer.status = 404;
      return plan;
    }
    ++planned;
    plan.body_limit = 300;
    plan.body_by = net::Clock::time_point::max();
    return plan;
  }
  void too_large(const net::RequestHead&, std::string_view prefix, net::Answer& answer) override {
    if (prefix.size() > net::kPrefixBytes) std::abort();
    answer.status = 413;
  }
  std::unique_ptr<net::PendingAnswer> answer(const net::RequestHead&,
                                             net::Plan&,
                                             std::string& body,
                                             net::Answer& answer,
                                             net::WakeSource&) override {
    if (body.size() > 300 || body.capacity() < body.size() + net::kBodyPadding) std::abort();
    answer.body = std::to_string(body.size());
    return nullptr;
  }
  bool is_large(std::uint64_t) const override { return false; }
  void too_late(const net::RequestHead&, std::string_view, net::Answer&) override { std::abort(); }
  net::Clock::time_point answer_by(const net::RequestHead& head) const override {
    return head.received;
  }
  void done(const net::Plan&) override { ++finished; }

  int planned = 0;
  int finished = 0;
};

void run(std::string_view bytes, EchoLength& handler, std::string& written) {
  boost::asio::io_context io(1);
  net::ServerOptions options;
  net::ServerCounters counters;
  const std::atomic<bool> draining = false;
  net::SessionContext context{handler, counters, options, draining};
  net::MemoryStream stream(io, {bytes.data(), bytes.size()});
  net::MemoryStream peer = boost::beast::test::connect(stream);
  peer.close();  // nothing comes after these bytes
  {
    net::Session<net::MemoryStream> session(stream, context);
    const auto on_end = [](std::exception_ptr failure) {
      if (failure) std::abort();
    };
    boost::asio::co_spawn(io, session.run(), on_end);
    io.run();
  }
  const auto text = peer.str();
  written.assign(text.data(), text.size());
  if (counters.busy != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  EchoLength handler;
  std::string written;
  run({reinterpret_cast<const char*>(data), size}, handler, written);
  if (handler.planned != handler.finished) std::abort();
  if (!written.empty() && !written.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
