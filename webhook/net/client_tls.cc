#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "webhook/net/client_tls_native.h"

namespace plimsoll::webhook::net {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// How many certificates of `text` were added; -1 where something in it is none.
int add_authorities(SSL_CTX* context, const std::string& text) {
  const std::unique_ptr<BIO, Free> reader(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
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

}  // namespace

ClientTls::ClientTls() : native_(std::make_unique<Native>()) {}
ClientTls::~ClientTls() = default;

policy::Result<std::shared_ptr<const ClientTls>> ClientTls::make(
    const std::string& extra_authorities) {
  auto tls = std::make_shared<ClientTls>();
  SSL_CTX* context = tls->native().context.native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_default_verify_paths(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Peers that close without saying so are common; the HTTP parser knows what is complete.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
  ERR_clear_error();
  if (extra_authorities.empty()) return tls;
  const int added = add_authorities(context, extra_authorities);
  if (added > 0) return tls;
  return std::unexpected(policy::Error{
      policy::ErrorKind::kInvalidInput,
      added == 0 ? "there is no certificate in it" : "a certificate in it cannot be read"});
}

}  // namespace plimsoll::webhook::net
