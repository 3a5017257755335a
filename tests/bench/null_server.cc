// A server whose handler does nothing: the whole body is read, a fixed answer allows. What TLS,
// HTTP and the event loop cost without judging. null_server HOST:PORT CERTIFICATE KEY
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "webhook/net/handler.h"
#include "webhook/net/server.h"
#include "webhook/net/snapshot.h"
#include "webhook/net/tls.h"

namespace plimsoll::bench {
namespace {

namespace net = webhook::net;

constexpr std::string_view kAllowed =
    R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":)"
    R"({"uid":"0df28fbd-5f5f-11e8-bc74-36e6bb280816","allowed":true}})";

class NullHandler final : public net::Handler {
 public:
  net::Plan plan(const net::RequestHead& head, net::Answer& /*answer*/) override {
    net::Plan plan;
    plan.body_limit = std::numeric_limits<std::uint32_t>::max();
    plan.body_by = head.received + std::chrono::seconds(30);
    return plan;
  }
  void too_large(const net::RequestHead& /*head*/,
                 std::string_view /*prefix*/,
                 net::Answer& answer) override {
    answer.status = 413;
  }
  std::unique_ptr<net::PendingAnswer> answer(const net::RequestHead& /*head*/,
                                             net::Plan& /*plan*/,
                                             std::string& /*body*/,
                                             net::Answer& answer,
                                             net::WakeSource& /*wakes*/) override {
    answer.body = kAllowed;
    return nullptr;
  }
  bool is_large(std::uint64_t /*body_bytes*/) const override { return false; }
  void too_late(const net::RequestHead& /*head*/,
                std::string_view /*body*/,
                net::Answer& answer) override {
    answer.status = 503;
  }
  net::Clock::time_point answer_by(const net::RequestHead& head) const override {
    return head.received + std::chrono::seconds(30);
  }
  void done(const net::Plan& /*plan*/) override {}
};

std::string content_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int complain(std::string_view text) {
  fmt::print(stderr, "null_server: {}\n", text);
  return 1;
}

int run(const char* address, const char* certificate, const char* key) {
  net::PemPair pair;
  pair.certificate = content_of(certificate);
  pair.key = content_of(key);
  auto tls = net::make_server_tls(pair);
  if (!tls) return complain(tls.error().message);
  const net::Snapshot<net::TlsContext> context(std::move(*tls));
  NullHandler handler;
  net::ServerOptions options;
  options.front_threads = 1;
  net::Server server(options, context, handler);
  const auto bound = server.listen(address);
  if (!bound) return complain(bound.error().message);
  fmt::print("{}\n", *bound);
  return server.run();
}

}  // namespace
}  // namespace plimsoll::bench

int main(int argc, char** argv) {
  if (argc != 4) return plimsoll::bench::complain("HOST:PORT CERTIFICATE KEY");
  return plimsoll::bench::run(argv[1], argv[2], argv[3]);
}
