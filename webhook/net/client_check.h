// Holds the certificate of one connection's client against the authorities and names: for the
// sources of this folder only.
#pragma once

#include <memory>
#include <string>

#include <boost/system/error_code.hpp>

#include "webhook/net/client_authorities.h"
#include "webhook/net/transport.h"
#include "webhook/net/x509_native.h"

namespace plimsoll::webhook::net {

struct ClientAuthorities::Native {
  OpenSslOwned<X509_STORE> store{X509_STORE_new()};
};

// True if one of `names` is a common name of the certificate, or, whatever the case, one of its DNS
// names. No wildcards, on either side.
bool has_name_of(X509* certificate, const std::vector<std::string>& names);

class ClientCheck {
 public:
  explicit ClientCheck(std::shared_ptr<const ClientAuthorities> authorities)
      : authorities_(std::move(authorities)) {}
  ClientCheck(const ClientCheck&) = delete;
  ClientCheck& operator=(const ClientCheck&) = delete;

  // The handshake of `stream` fails without a certificate for clients that an authority has signed,
  // that is valid now, and that has one of the names. Call before it; outlives it.
  void demand_of(TlsStream& stream);

  // Why the client was refused: `no certificate`, `not trusted: certificate has expired`, `name "x"
  // is not allowed`. Empty where the handshake failed for another reason.
  std::string refusal(const boost::system::error_code& error) const;

 private:
  bool judge(bool verified, X509_STORE_CTX* context) noexcept;

  std::shared_ptr<const ClientAuthorities> authorities_;
  int fault_ = X509_V_OK;
  int depth_ = 0;             // of the certificate with the fault; 0: the client's own
  OpenSslOwned<X509> named_;  // trusted, and none of its names is allowed
};

}  // namespace plimsoll::webhook::net
