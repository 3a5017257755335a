#include "webhook/net/client_authorities.h"

#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <openssl/pem.h>

#include "webhook/net/client_check.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {
namespace {

using policy::Error;
using policy::ErrorKind;

std::unexpected<Error> refused(std::string clause) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(clause)});
}

// The reader found no further block, as opposed to a damaged one.
bool at_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

bool has_expired(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

policy::Result<void> add_authorities(X509_STORE* store, const std::string& pem) {
  const OpenSslOwned<BIO> reader(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int count = 0;
  bool any_lives = false;
  while (true) {
    const OpenSslOwned<X509> authority(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (!authority && at_end_of_pem()) break;
    ++count;
    if (!authority) return refused(fmt::format("certificate {} in it cannot be read", count));
    if (X509_check_ca(authority.get()) == 0) {
      return refused(fmt::format("certificate {} in it is no authority's", count));
    }
    any_lives = any_lives || !has_expired(authority.get());
    if (X509_STORE_add_cert(store, authority.get()) != 1) {
      return refused(fmt::format("certificate {} in it was not accepted", count));
    }
  }
  if (count == 0) return refused("there is no certificate in PEM form");
  if (!any_lives) return refused("every certificate in it has expired");
  return {};
}

}  // namespace

ClientAuthorities::ClientAuthorities(std::vector<std::string> names)
    : names_(std::move(names)), native_(std::make_unique<Native>()) {}
ClientAuthorities::~ClientAuthorities() = default;

policy::Result<std::shared_ptr<const ClientAuthorities>> ClientAuthorities::make(
    const std::string& pem, std::vector<std::string> names) {
  if (pem.size() > kMaxPemBytes) return refused("it is larger than 64 KiB");
  const QuietOpenSsl quiet;
  auto made = std::make_shared<ClientAuthorities>(std::move(names));
  X509_STORE* store = made->native().store.get();
  const policy::Result<void> added = add_authorities(store, pem);
  if (!added) return std::unexpected(added.error());
  // An authority whose own issuer is not in the file is trusted all the same: somebody put it
  // there.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return made;
}

ClientAuthorityFile::ClientAuthorityFile(std::filesystem::path authorities,
                                         std::vector<std::string> names)
    : PolledFiles({std::move(authorities)}), names_(std::move(names)) {}

policy::Result<void> ClientAuthorityFile::adopt(const std::vector<std::string>& texts) {
  auto made = ClientAuthorities::make(texts.front(), names_);
  if (!made) return std::unexpected(made.error());
  current_.publish(std::move(*made));
  return {};
}

}  // namespace plimsoll::webhook::net
