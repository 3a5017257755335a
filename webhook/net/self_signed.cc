#include <chrono>

#include "webhook/net/tls.h"
#include "webhook/net/x509_maker.h"

namespace plimsoll::webhook::net {

policy::Result<PemPair> make_self_signed(int days) {
  const std::chrono::days span(days);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return make_certificate({
      .common_name = "localhost",
      .not_before = days < 0 ? now + 2 * span : now - std::chrono::hours(1),
      .not_after = now + span,
      .extensions = {{"subjectAltName", "DNS:localhost,IP:127.0.0.1,IP:::1"},
                     {"extendedKeyUsage", "serverAuth"}},
  });
}

}  // namespace plimsoll::webhook::net
