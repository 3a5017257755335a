#include "webhook/net/tls.h"

#include <array>
#include <ctime>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "webhook/net/tls_native.h"

namespace plimsoll::webhook::net {
namespace {

using policy::Error;
using policy::ErrorKind;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

std::unexpected<Error> refused(std::string message) {
  const unsigned long code = ERR_get_error();
  if (code != 0) {
    std::array<char, 256> reason{};
    ERR_error_string_n(code, reason.data(), reason.size());
    message += " (" + std::string(reason.data()) + ")";
  }
  ERR_clear_error();
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

Owned<BIO> reader_of(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string fingerprint_of(const PemPair& pair) {
  const std::string both = pair.certificate + pair.key;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(both.data()), both.size(), digest.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

// Only http/1.1: with h2 the API server would put every review on one connection.
int select_protocol(SSL* /*ssl*/,
                    const unsigned char** out,
                    unsigned char* out_length,
                    const unsigned char* in,
                    unsigned int in_length,
                    void* /*argument*/) {
  constexpr std::string_view kProtocol = "http/1.1";
  std::string_view offered(reinterpret_cast<const char*>(in), in_length);
  while (!offered.empty()) {
    const auto length = static_cast<unsigned char>(offered.front());
    offered.remove_prefix(1);
    if (offered.size() < length) break;
    if (offered.substr(0, length) == kProtocol) {
      *out = reinterpret_cast<const unsigned char*>(offered.data());
      *out_length = length;
      return SSL_TLSEXT_ERR_OK;
    }
    offered.remove_prefix(length);
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void count_update(int write,
                  int /*version*/,
                  int content_type,
                  const void* data,
                  std::size_t length,
                  SSL* /*ssl*/,
                  void* argument) {
  const bool update = write == 0 && content_type == SSL3_RT_HANDSHAKE && length > 0 &&
                      *static_cast<const unsigned char*>(data) == SSL3_MT_KEY_UPDATE;
  if (update && argument != nullptr) ++*static_cast<unsigned*>(argument);
}

void configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers12);
  SSL_CTX_set_ciphersuites(context, kCiphers13);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                          SSL_OP_CIPHER_SERVER_PREFERENCE);
  // The API server never resumes; tickets would only cost and outlive a rotation.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  SSL_CTX_set_msg_callback(context, count_update);
}

// The reader found no further block, as opposed to a damaged one.
bool at_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// Every certificate after the leaf must have issued the one before it.
policy::Result<void> add_chain(SSL_CTX* context, BIO* pem, X509* leaf) {
  X509* issued = leaf;
  std::vector<Owned<X509>> kept;
  while (true) {
    Owned<X509> issuer(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr));
    if (!issuer && !at_end_of_pem()) return refused("a certificate after the first cannot be read");
    if (!issuer) break;
    const bool follows = X509_check_issued(issuer.get(), issued) == X509_V_OK &&
                         X509_verify(issued, X509_get0_pubkey(issuer.get())) == 1;
    if (!follows) {
      return refused("the certificates are not in order: each must be followed by its issuer");
    }
    issued = issuer.get();
    if (SSL_CTX_add1_chain_cert(context, issued) != 1) return refused("the chain was not accepted");
    kept.push_back(std::move(issuer));
  }
  ERR_clear_error();  // the end of the file is no error
  return {};
}

}  // namespace

TlsContext::TlsContext() : native(std::make_unique<Native>()) {}
TlsContext::~TlsContext() = default;

void count_key_updates(SSL* ssl, unsigned& count) {
  SSL_set_msg_callback_arg(ssl, &count);
}

policy::Result<std::shared_ptr<const TlsContext>> make_server_tls(const PemPair& pair) {
  if (pair.certificate.size() > kMaxPemBytes || pair.key.size() > kMaxPemBytes) {
    return refused("the certificate or key is larger than 64 KiB");
  }
  ERR_clear_error();
  auto tls = std::make_shared<TlsContext>();
  SSL_CTX* context = tls->native->context.native_handle();
  configure(context);
  const Owned<BIO> chain = reader_of(pair.certificate);
  const Owned<X509> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf) return refused("there is no certificate in PEM form");
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return refused("the certificate cannot be used for serving");
  }
  const policy::Result<void> chained = add_chain(context, chain.get(), leaf.get());
  if (!chained) return std::unexpected(chained.error());
  const Owned<BIO> key_text = reader_of(pair.key);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const Owned<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr));
  if (!key) return refused("there is no private key in PEM form without a passphrase");
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    return refused("the key does not belong to the certificate");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return refused("the key cannot be used");
  tls->not_before = time_of(X509_get0_notBefore(leaf.get()));
  tls->not_after = time_of(X509_get0_notAfter(leaf.get()));
  tls->fingerprint = fingerprint_of(pair);
  return tls;
}

}  // namespace plimsoll::webhook::net
