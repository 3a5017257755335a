#include "webhook/net/x509_maker.h"

#include <ctime>

#include <openssl/ec.h>

#include "webhook/net/x509_native.h"

namespace plimsoll::webhook::net {
namespace {

using policy::Error;
using policy::ErrorKind;

constexpr int kSerialBits = 128;

std::unexpected<Error> failed() {
  return std::unexpected(Error{ErrorKind::kInternal, "OpenSSL could not make a certificate"});
}

std::unexpected<Error> refused(const std::string& message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, message});
}

bool set_serial(X509* certificate) {
  const OpenSslOwned<BIGNUM> serial(BN_new());
  return serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, const CertificateTerms& terms) {
  const std::time_t from = terms.not_before.time_since_epoch().count();
  const std::time_t until = terms.not_after.time_since_epoch().count();
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr;
}

bool set_names(X509* certificate, const std::string& common_name, const X509* issuer) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* common = reinterpret_cast<const unsigned char*>(common_name.data());
  const int length = static_cast<int>(common_name.size());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, length, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

bool add_extension(X509* certificate, X509* issuer, const char* name, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const OpenSslOwned<X509_EXTENSION> extension(
      X509V3_EXT_nconf(nullptr, &context, name, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, X509* issuer, const CertificateTerms& terms) {
  bool fine = X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
              set_times(certificate, terms) && X509_set_pubkey(certificate, key) == 1 &&
              set_names(certificate, terms.common_name, issuer) &&
              add_extension(certificate, issuer, "subjectKeyIdentifier", "hash");
  for (const CertificateExtension& extension : terms.extensions) {
    fine = fine && add_extension(certificate, issuer, extension.name, extension.value);
  }
  return fine && add_extension(certificate, issuer, "authorityKeyIdentifier", "keyid:always");
}

struct Issuer {
  OpenSslOwned<X509> certificate;
  OpenSslOwned<EVP_PKEY> key;
};

policy::Result<Issuer> read_issuer(const PemPair& pair) {
  policy::Result<OpenSslOwned<X509>> certificate = read_x509(pair.certificate);
  if (!certificate) return refused("the issuer's certificate: " + certificate.error().message);
  policy::Result<OpenSslOwned<EVP_PKEY>> key = read_private_key(pair.key);
  if (!key) return refused("the issuer's key: " + key.error().message);
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return refused("the issuer's key does not belong to its certificate");
  }
  return Issuer{std::move(*certificate), std::move(*key)};
}

}  // namespace

policy::Result<PemPair> make_certificate(const CertificateTerms& terms, const PemPair* issuer) {
  const QuietOpenSsl quiet;
  if (terms.common_name.empty() || terms.common_name.size() > kMaxCommonName) {
    return refused("the common name of a certificate has 1 to 64 characters");
  }
  if (terms.not_after <= terms.not_before) {
    return refused("the certificate would end before it begins");
  }
  const OpenSslOwned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const OpenSslOwned<X509> certificate(X509_new());
  if (!key || !certificate) return failed();
  Issuer signer;
  if (issuer != nullptr) {
    policy::Result<Issuer> read = read_issuer(*issuer);
    if (!read) return std::unexpected(read.error());
    signer = std::move(*read);
  }
  X509* const above = signer.certificate ? signer.certificate.get() : certificate.get();
  EVP_PKEY* const signing_key = signer.key ? signer.key.get() : key.get();
  const bool made = fill(certificate.get(), key.get(), above, terms) &&
                    X509_sign(certificate.get(), signing_key, EVP_sha256()) != 0 &&
                    X509_verify(certificate.get(), X509_get0_pubkey(above)) == 1;
  if (!made) return failed();
  policy::Result<std::string> certificate_text = x509_text(certificate.get());
  policy::Result<std::string> key_text = private_key_text(key.get());
  if (!certificate_text || !key_text) return failed();
  return PemPair{std::move(*certificate_text), std::move(*key_text)};
}

}  // namespace plimsoll::webhook::net
