// Who may call: the authorities and the names that a caller's certificate is held against.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "policy/result.h"
#include "webhook/net/polled_files.h"
#include "webhook/net/snapshot.h"

namespace plimsoll::webhook::net {

// How many authorities there may be between a caller's certificate and one that is trusted.
inline constexpr int kMaxClientChain = 8;

// Never changed once made. Connections keep the one that they began with.
class ClientAuthorities {
 public:
  struct Native;

  explicit ClientAuthorities(std::vector<std::string> names);
  ClientAuthorities(const ClientAuthorities&) = delete;
  ClientAuthorities& operator=(const ClientAuthorities&) = delete;
  ~ClientAuthorities();

  // `pem`: one certificate or several; each is trusted, whoever signed it. `names`: of callers;
  // none: every certificate of these authorities will do. Refused are what cannot be read, a
  // certificate that may not sign others, and authorities that have all expired; the error is a
  // clause.
  static policy::Result<std::shared_ptr<const ClientAuthorities>> make(
      const std::string& pem, std::vector<std::string> names);

  const std::vector<std::string>& names() const { return names_; }
  const Native& native() const { return *native_; }  // see client_check.h

 private:
  std::vector<std::string> names_;
  std::unique_ptr<Native> native_;
};

// Authorities that are kept in a file.
class ClientAuthorityFile final : public PolledFiles {
 public:
  ClientAuthorityFile(std::filesystem::path authorities, std::vector<std::string> names);

  const Snapshot<ClientAuthorities>& current() const { return current_; }

 private:
  policy::Result<void> adopt(const std::vector<std::string>& texts) override;

  std::vector<std::string> names_;
  Snapshot<ClientAuthorities> current_;
};

}  // namespace plimsoll::webhook::net
