#include "chain.h"

#include <memory>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>

#include "webhook/certificates/certificate_text.h"
#include "webhook/net/x509_native.h"

namespace plimsoll::webhook::certificates {
namespace {

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

void extend(X509* certificate, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const net::OpenSslOwned<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

std::string refusal(const std::string& served,
                    const std::string& bundle,
                    const std::string& host,
                    std::chrono::sys_seconds at) {
  const auto chain = split_bundle(served);
  if (!chain) return "served: " + chain.error().message;
  const auto trusted = split_bundle(bundle);
  if (!trusted) return "trusted: " + trusted.error().message;
  const std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
  for (const std::string& authority : *trusted) {
    X509_STORE_add_cert(store.get(), net::read_x509(authority)->get());
  }
  const auto leaf = net::read_x509(chain->front());
  const std::unique_ptr<X509_STORE_CTX, FreeStore> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf->get(), nullptr);
  X509_VERIFY_PARAM* const terms = X509_STORE_CTX_get0_param(context.get());
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM_set_purpose(terms, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set1_host(terms, host.data(), host.size());
  X509_VERIFY_PARAM_set_time(terms, at.time_since_epoch().count());
  const bool fine = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return fine ? "" : X509_verify_cert_error_string(error);
}

KeyPair foreign_authority(const char* algorithm,
                          std::chrono::sys_seconds not_before,
                          std::chrono::sys_seconds not_after) {
  const bool rsa = std::string(algorithm) == "RSA";
  const net::OpenSslOwned<EVP_PKEY> key(rsa ? EVP_RSA_gen(2048)
                                            : EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm));
  const net::OpenSslOwned<X509> certificate(X509_new());
  X509* const made = certificate.get();
  X509_NAME* const name = X509_get_subject_name(made);
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 7);
  ASN1_TIME_set(X509_getm_notBefore(made), not_before.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(made), not_after.time_since_epoch().count());
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("foreign"), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_set_pubkey(made, key.get());
  extend(made, NID_basic_constraints, "critical,CA:TRUE");
  extend(made, NID_subject_key_identifier, "hash");
  EXPECT_NE(X509_sign(made, key.get(), rsa ? EVP_sha256() : nullptr), 0);
  return {*net::x509_text(made), *net::private_key_text(key.get())};
}

std::string encrypted(const std::string& key) {
  const auto read = net::read_private_key(key);
  const net::OpenSslOwned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(
      bio.get(), read->get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

Terms usual_terms() {
  Terms terms;
  terms.dns_names = {kName, kName + ".cluster.local"};
  terms.authority_name = "plimsoll authority";
  return terms;
}

Stored installed(const Terms& terms, std::chrono::sys_seconds at) {
  const auto step = plan({}, {}, terms, at);
  EXPECT_TRUE(step);
  return step ? stored_of(step->data) : Stored{};
}

std::size_t size_of(const std::string& bundle) {
  const auto certificates = split_bundle(bundle);
  return certificates ? certificates->size() : 0;
}

}  // namespace plimsoll::webhook::certificates
