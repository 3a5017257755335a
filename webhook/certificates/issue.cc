#include "webhook/certificates/issue.h"

#include <utility>

#include "policy/printable.h"
#include "webhook/certificates/certificate_text.h"
#include "webhook/net/x509_maker.h"

namespace plimsoll::webhook::certificates {
namespace {

using policy::Error;
using policy::ErrorKind;

std::unexpected<Error> refused(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

}  // namespace

policy::Result<KeyPair> make_authority(const std::string& common_name,
                                       std::chrono::sys_seconds not_before,
                                       std::chrono::sys_seconds not_after) {
  return net::make_certificate({
      .common_name = common_name,
      .not_before = not_before,
      .not_after = not_after,
      .extensions = {{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
                     {"keyUsage", "critical,keyCertSign,cRLSign"}},
  });
}

policy::Result<KeyPair> issue_serving(const KeyPair& authority,
                                      const std::vector<std::string>& dns_names,
                                      std::chrono::sys_seconds not_before,
                                      std::chrono::sys_seconds not_after) {
  if (dns_names.empty() || dns_names.size() > kMaxDnsNames) {
    return refused("a serving certificate has 1 to 64 DNS names");
  }
  std::string names;
  for (const std::string& name : dns_names) {
    if (!is_dns_name(name)) return refused(policy::quoted(name) + " is no DNS name");
    names += (names.empty() ? "DNS:" : ",DNS:") + name;
  }
  const auto above = read_certificate(authority.certificate);
  if (!above) return refused("the authority's certificate: " + above.error().message);
  if (not_after > above->not_after) {
    return refused("the serving certificate would end after its authority");
  }
  const std::string& first = dns_names.front();
  policy::Result<KeyPair> pair = net::make_certificate(
      {
          .common_name = first.substr(0, first.find('.')),
          .not_before = not_before,
          .not_after = not_after,
          .extensions = {{"basicConstraints", "critical,CA:FALSE"},
                         {"keyUsage", "critical,digitalSignature"},
                         {"extendedKeyUsage", "serverAuth"},
                         {"subjectAltName", names}},
      },
      &authority);
  if (!pair) return pair;
  const policy::Result<void> issued = check_issuer(pair->certificate, authority.certificate);
  if (!issued) return std::unexpected(issued.error());
  return pair;
}

}  // namespace plimsoll::webhook::certificates
