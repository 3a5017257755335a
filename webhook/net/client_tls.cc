#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "webhook/net/client_tls_native.h"

namespace plimsoll::webhook::net {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Reader = std::unique_ptr<BIO, Free>;

Reader reader_of(const std::string& text) {
  return Reader(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<policy::Error> wrong(const char* clause) {
  return std::unexpected(policy::Error{policy::ErrorKind::kInvalidInput, clause});
}

// How many certificates of `text` were added; -1 where something in it is none.
int add_authorities(SSL_CTX* context, const std::string& text) {
  const Reader reader = reader_of(text);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (true) {
    const std::unique_ptr<X509, Free> certificate(
        PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return -1;
    ++count;
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? count : -1;
}

// Our own certificate, what follows it as its chain, and the key.
bool present(SSL_CTX* context, const ClientTlsTerms& terms) {
  const Reader certificates = reader_of(terms.certificate);
  const Reader key_text = reader_of(terms.key);
  const auto next = [&certificates] {
    return std::unique_ptr<X509, Free>(
        PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  };
  const auto own = next();
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  bool fine = own && key && SSL_CTX_use_certificate(context, own.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, key.get()) == 1;
  for (auto link = next(); fine && link; link = next()) {
    fine = SSL_CTX_add1_chain_cert(context, link.get()) == 1;
  }
  ERR_clear_error();
  return fine;
}

}  // namespace

ClientTls::ClientTls() : native_(std::make_unique<Native>()) {}
ClientTls::~ClientTls() = default;

policy::Result<std::shared_ptr<const ClientTls>> ClientTls::make(const ClientTlsTerms& terms) {
  auto tls = std::make_shared<ClientTls>();
  SSL_CTX* context = tls->native().context.native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (terms.system_authorities) SSL_CTX_set_default_verify_paths(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Peers that close without saying so are common; the HTTP parser knows what is complete.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
  ERR_clear_error();
  if (!terms.authorities.empty()) {
    const int added = add_authorities(context, terms.authorities);
    if (added == 0) return wrong("there is no certificate in it");
    if (added < 0) return wrong("a certificate in it cannot be read");
  }
  if (!terms.certificate.empty() && !present(context, terms)) {
    return wrong("the client certificate and its key cannot be used together");
  }
  return tls;
}

}  // namespace plimsoll::webhook::net
