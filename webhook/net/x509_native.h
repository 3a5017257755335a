// OpenSSL's certificates and keys with one owner each, read from PEM text and written to it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "policy/result.h"

namespace plimsoll::webhook::net {

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(char* text) const { OPENSSL_free(text); }
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
template <class T>
using OpenSslOwned = std::unique_ptr<T, FreeOpenSsl>;

// Leaves nothing in this thread's queue of errors, where a connection's next look would find it.
struct QuietOpenSsl {
  QuietOpenSsl() { ERR_clear_error(); }
  QuietOpenSsl(const QuietOpenSsl&) = delete;
  QuietOpenSsl& operator=(const QuietOpenSsl&) = delete;
  ~QuietOpenSsl() { ERR_clear_error(); }
};

// Of one block "CERTIFICATE" with nothing but blanks around it. Errors are clauses: "it cannot be
// read".
policy::Result<OpenSslOwned<X509>> read_x509(std::string_view pem);

// Of one block "PRIVATE KEY", or of the older ones for RSA and EC. Never asks for a passphrase. An
// EC key whose private and public halves do not fit is refused.
policy::Result<OpenSslOwned<EVP_PKEY>> read_private_key(std::string_view pem);

policy::Result<std::string> x509_text(X509* certificate);
policy::Result<std::string> private_key_text(EVP_PKEY* key);  // PKCS#8

}  // namespace plimsoll::webhook::net
