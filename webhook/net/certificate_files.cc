#include "webhook/net/certificate_files.h"

#include <utility>

namespace plimsoll::webhook::net {

CertificateFiles::CertificateFiles(std::filesystem::path certificate, std::filesystem::path key)
    : PolledFiles({std::move(certificate), std::move(key)}) {}

policy::Result<void> CertificateFiles::adopt(const std::vector<std::string>& texts) {
  auto tls = make_server_tls(PemPair{texts.front(), texts.back()});
  if (!tls) return std::unexpected(tls.error());
  current_.publish(std::move(*tls));
  return {};
}

}  // namespace plimsoll::webhook::net
