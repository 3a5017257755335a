#include "webhook/net/x509_native.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/pem.h>

#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {
namespace {

using policy::Error;
using policy::ErrorKind;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::array<std::string_view, 3> kKeyLabels = {
    "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"};

std::unexpected<Error> refused(std::string clause) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(clause)});
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

struct Block {
  OpenSslOwned<char> label;
  OpenSslOwned<unsigned char> bytes;
  long length = 0;
};

// The one block that the text is.
policy::Result<Block> read_block(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) {
    return std::unexpected(Error{ErrorKind::kTooLarge, "it is larger than 64 KiB"});
  }
  const std::string_view text = trimmed(pem);
  if (text.empty()) return refused("it is empty");
  if (!text.starts_with(kBegin)) return refused("it is not in PEM form");
  const OpenSslOwned<BIO> reader(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  Block block;
  const bool read =
      reader && PEM_read_bio(reader.get(), &label, &header, &bytes, &block.length) == 1;
  block.label.reset(label);
  block.bytes.reset(bytes);
  const OpenSslOwned<char> owned_header(header);
  if (!read) return refused("it is not in PEM form, or cut short");
  if (!std::string_view(header).empty()) return refused("it is encrypted or has PEM headers");
  if (BIO_pending(reader.get()) != 0) return refused("something follows after its PEM block");
  return block;
}

// EVP_PKEY_eq and X509_check_private_key look at public halves alone.
bool halves_fit(EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return true;
  const OpenSslOwned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_pairwise_check(context.get()) == 1;
}

policy::Result<std::string> written(const BIO* bio, bool fine) {
  char* data = nullptr;
  const long length = fine ? BIO_get_mem_data(const_cast<BIO*>(bio), &data) : 0;
  if (length <= 0) {
    return std::unexpected(Error{ErrorKind::kInternal, "OpenSSL could not write PEM text"});
  }
  return std::string(data, static_cast<std::size_t>(length));
}

}  // namespace

policy::Result<OpenSslOwned<X509>> read_x509(std::string_view pem) {
  const QuietOpenSsl quiet;
  const policy::Result<Block> block = read_block(pem);
  if (!block) return std::unexpected(block.error());
  if (std::string_view(block->label.get()) != "CERTIFICATE") return refused("it is no certificate");
  const unsigned char* at = block->bytes.get();
  OpenSslOwned<X509> certificate(d2i_X509(nullptr, &at, block->length));
  if (!certificate || at != block->bytes.get() + block->length) return refused("it cannot be read");
  return certificate;
}

policy::Result<OpenSslOwned<EVP_PKEY>> read_private_key(std::string_view pem) {
  const QuietOpenSsl quiet;
  const policy::Result<Block> block = read_block(pem);
  if (!block) return std::unexpected(block.error());
  if (std::ranges::find(kKeyLabels, block->label.get()) == kKeyLabels.end()) {
    return refused("it is no private key without a passphrase");
  }
  const unsigned char* at = block->bytes.get();
  OpenSslOwned<EVP_PKEY> key(d2i_AutoPrivateKey(nullptr, &at, block->length));
  if (!key || at != block->bytes.get() + block->length) return refused("it cannot be read");
  if (!halves_fit(key.get())) return refused("its private and public halves do not fit");
  return key;
}

policy::Result<std::string> x509_text(X509* certificate) {
  const QuietOpenSsl quiet;
  const OpenSslOwned<BIO> bio(BIO_new(BIO_s_mem()));
  return written(bio.get(), bio && PEM_write_bio_X509(bio.get(), certificate) == 1);
}

policy::Result<std::string> private_key_text(EVP_PKEY* key) {
  const QuietOpenSsl quiet;
  const OpenSslOwned<BIO> bio(BIO_new(BIO_s_mem()));
  return written(bio.get(),
                 bio && PEM_write_bio_PKCS8PrivateKey(
                            bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

}  // namespace plimsoll::webhook::net
