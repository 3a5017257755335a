#include "webhook/certificates/certificate_text.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "policy/ascii.h"
#include "webhook/net/x509_native.h"

namespace plimsoll::webhook::certificates {
namespace {

using policy::Error;
using policy::ErrorKind;
using Certificate = net::OpenSslOwned<X509>;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::string_view kBlanks = " \t\r\n";

std::unexpected<Error> refused(std::string clause, ErrorKind kind = ErrorKind::kInvalidInput) {
  return std::unexpected(Error{kind, std::move(clause)});
}

std::optional<std::chrono::sys_seconds> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string_view bytes_of(const ASN1_STRING* text) {
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) { return policy::is_alnum(c) || c == '-'; };
  return !label.empty() && label.size() <= kMaxDnsLabelBytes && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, allowed);
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = policy::to_lower(c);
  return lowered;
}

std::vector<std::string> dns_names_of(const X509* certificate) {
  std::vector<std::string> names;
  const net::OpenSslOwned<GENERAL_NAMES> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &type);
    if (type != GEN_DNS) continue;
    const std::string_view name = bytes_of(static_cast<const ASN1_STRING*>(value));
    if (is_dns_name(name)) names.push_back(lower(name));
  }
  return names;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

struct Block {
  std::string_view before;  // what stands between the last one and this
  std::string_view text;
};

// The next block, taken off the front of `rest`; nothing if there is no further end of one.
std::optional<Block> take_block(std::string_view& rest) {
  const std::size_t end = rest.find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view head = rest.substr(0, end + kEnd.size());
  rest.remove_prefix(head.size());
  // The last beginning before the end: one that was cut short must not swallow the next.
  const std::size_t begin = head.rfind(kBegin);
  if (begin == std::string_view::npos) return Block{head, {}};
  return Block{head.substr(0, begin), head.substr(begin)};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kBlanks) == std::string_view::npos;
}

policy::Result<std::string> rewritten(std::string_view block) {
  const policy::Result<Certificate> certificate = net::read_x509(block);
  if (!certificate) return std::unexpected(certificate.error());
  return net::x509_text(certificate->get());
}

}  // namespace

bool is_dns_name(std::string_view name) {
  if (name.size() > kMaxDnsNameBytes) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

policy::Result<CertificateText> read_certificate(std::string_view certificate) {
  const policy::Result<Certificate> read = net::read_x509(certificate);
  if (!read) return std::unexpected(read.error());
  const net::QuietOpenSsl quiet;
  X509* const native = read->get();
  if ((X509_get_extension_flags(native) & EXFLAG_INVALID) != 0) {
    return refused("its extensions cannot be read");
  }
  const auto not_before = time_of(X509_get0_notBefore(native));
  const auto not_after = time_of(X509_get0_notAfter(native));
  if (!not_before || !not_after) return refused("its times cannot be read");
  CertificateText text;
  text.not_before = *not_before;
  text.not_after = *not_after;
  text.is_authority = X509_check_ca(native) == 1;
  text.is_for_servers = X509_check_purpose(native, X509_PURPOSE_SSL_SERVER, 0) == 1;
  text.dns_names = dns_names_of(native);
  text.subject_key_id = hex_of(bytes_of(X509_get0_subject_key_id(native)));
  return text;
}

policy::Result<void> check_key(std::string_view certificate, std::string_view key) {
  const policy::Result<Certificate> read = net::read_x509(certificate);
  if (!read) return std::unexpected(read.error());
  const auto key_read = net::read_private_key(key);
  if (!key_read) return refused("its key cannot be used: " + key_read.error().message);
  const net::QuietOpenSsl quiet;
  if (X509_check_private_key(read->get(), key_read->get()) != 1) {
    return refused("the key does not belong to it");
  }
  return {};
}

policy::Result<void> check_issuer(std::string_view certificate, std::string_view authority) {
  const policy::Result<Certificate> issued = net::read_x509(certificate);
  if (!issued) return std::unexpected(issued.error());
  const policy::Result<Certificate> issuer = net::read_x509(authority);
  if (!issuer) return refused("the authority: " + issuer.error().message);
  const net::QuietOpenSsl quiet;
  if (X509_check_ca(issuer->get()) != 1)
    return refused("what should have signed it is no authority");
  EVP_PKEY* const key = X509_get0_pubkey(issuer->get());
  const bool signed_by = X509_check_issued(issuer->get(), issued->get()) == X509_V_OK &&
                         key != nullptr && X509_verify(issued->get(), key) == 1;
  if (!signed_by) return refused("it is not signed by the authority");
  return {};
}

policy::Result<std::vector<std::string>> split_bundle(std::string_view bundle) {
  if (bundle.size() > kMaxBundleBytes) {
    return refused("it is larger than 64 KiB", ErrorKind::kTooLarge);
  }
  std::vector<std::string> certificates;
  while (const std::optional<Block> block = take_block(bundle)) {
    const std::string which = "certificate " + std::to_string(certificates.size() + 1);
    if (certificates.size() == kMaxBundleCertificates) {
      return refused("it has more than 32 certificates", ErrorKind::kTooLarge);
    }
    if (!is_blank(block->before))
      return refused("something that is no certificate stands before " + which);
    policy::Result<std::string> certificate = rewritten(block->text);
    if (!certificate) return refused(which + " of it: " + certificate.error().message);
    certificates.push_back(std::move(*certificate));
  }
  if (!is_blank(bundle)) return refused("something that is no certificate stands at its end");
  if (certificates.empty()) return refused("there is no certificate in it");
  return certificates;
}

std::vector<std::string> salvage_bundle(std::string_view bundle) {
  std::vector<std::string> certificates;
  bundle = bundle.substr(0, kMaxBundleBytes);
  while (certificates.size() < kMaxBundleCertificates) {
    const std::optional<Block> block = take_block(bundle);
    if (!block) break;
    policy::Result<std::string> certificate = rewritten(block->text);
    if (certificate) certificates.push_back(std::move(*certificate));
  }
  return certificates;
}

std::string join_bundle(const std::vector<std::string>& certificates) {
  std::string bundle;
  for (const std::string& certificate : certificates) {
    bundle += certificate;
    if (!certificate.ends_with('\n')) bundle += '\n';
  }
  return bundle;
}

}  // namespace plimsoll::webhook::certificates
