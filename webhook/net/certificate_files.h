// A serving certificate that is kept in two files: polled, swapped as a pair, the old one kept on
// any error.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "webhook/net/polled_files.h"
#include "webhook/net/snapshot.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {

class CertificateFiles final : public PolledFiles {
 public:
  CertificateFiles(std::filesystem::path certificate, std::filesystem::path key);

  const Snapshot<TlsContext>& current() const { return current_; }

 private:
  policy::Result<void> adopt(const std::vector<std::string>& texts) override;

  Snapshot<TlsContext> current_;
};

}  // namespace plimsoll::webhook::net
