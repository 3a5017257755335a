// Any bytes as what the certificates' Secret holds and the API server trusts: they are read without
// harm, and after a few steps a pair is served that the bundle trusts.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "webhook/certificates/certificate_text.h"
#include "webhook/certificates/rotation.h"
#include "webhook/net/base64.h"

namespace certificates = plimsoll::webhook::certificates;

namespace {

using certificates::Step;
using certificates::Stored;

constexpr std::string_view kBetween = "\n%%\n";
constexpr std::size_t kMostWrites = 4;  // until nothing more changes while time stands still

// The next part of the input; as a PEM block if `label` is not empty.
std::string take(std::string_view& rest, std::string_view label) {
  const std::size_t end = rest.find(kBetween);
  std::string part(rest.substr(0, end));
  rest = end == std::string_view::npos ? "" : rest.substr(end + kBetween.size());
  if (label.empty()) return part;
  std::string pem = "-----BEGIN " + std::string(label) + "-----\n";
  const std::string encoded = plimsoll::webhook::net::encode_base64(part);
  for (std::size_t at = 0; at < encoded.size(); at += 64) pem += encoded.substr(at, 64) + "\n";
  return pem + "-----END " + std::string(label) + "-----\n";
}

void read(const std::string& text) {
  const auto split = certificates::split_bundle(text);
  const auto salvaged = certificates::salvage_bundle(text);
  if (split && *split != salvaged) std::abort();
  const std::string joined = certificates::join_bundle(salvaged);
  if (!salvaged.empty() && joined.size() <= certificates::kMaxBundleBytes) {
    const auto again = certificates::split_bundle(joined);
    if (!again || *again != salvaged) std::abort();
  }
  for (const std::string& certificate : salvaged) {
    const auto said = certificates::read_certificate(certificate);
    const auto issued = certificates::check_issuer(certificate, salvaged.front());
    if (!said && said.error().message.empty()) std::abort();
    if (!issued && issued.error().message.empty()) std::abort();
  }
}

bool serves(const Stored& stored, const std::string& bundle) {
  const auto chain = certificates::split_bundle(stored.tls_crt);
  const auto trusted = certificates::split_bundle(bundle);
  if (!chain || !trusted) return false;
  if (!certificates::check_key(chain->front(), stored.tls_key)) return false;
  return certificates::check_issuer(chain->front(), trusted->front()).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 3;
  if (size < kHead) return 0;
  const unsigned flags = data[0];
  const std::chrono::hours age(data[1] + 256 * data[2]);
  std::string_view rest(reinterpret_cast<const char*>(data) + kHead, size - kHead);
  const std::array<std::string_view, 6> labels = {
      "CERTIFICATE", "PRIVATE KEY", "CERTIFICATE", "PRIVATE KEY", "CERTIFICATE", "EC PRIVATE KEY"};
  std::array<std::string, 6> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = take(rest, (flags >> i & 1U) != 0 ? labels[i] : "");
    read(parts[i]);
  }
  const std::string since = take(rest, "");
  Stored stored{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], since};
  certificates::Trusted trusted;
  if ((flags & 0x40U) != 0) trusted.bundles.push_back(stored.ca_crt);
  if ((flags & 0x80U) != 0) trusted.bundles.emplace_back(rest);

  certificates::Terms terms;
  terms.dns_names = {"plimsoll.ships.svc"};
  terms.authority_name = "plimsoll authority";
  const std::chrono::sys_seconds now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1) + age;
  for (std::size_t writes = 0;; ++writes) {
    const auto step = certificates::plan(stored, trusted, terms, now);
    if (!step || step->reason.empty() || writes > kMostWrites) std::abort();
    if (step->kind == Step::Kind::kWriteSecret) stored = certificates::stored_of(step->data);
    if (!serves(stored, step->bundle) || step->bundle != stored.ca_crt) std::abort();
    if (step->kind != Step::Kind::kWriteSecret) return 0;
  }
}
