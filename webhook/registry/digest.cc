#include "webhook/registry/digest.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "policy/ascii.h"

namespace plimsoll::webhook::registry {
namespace {

constexpr std::size_t kHex256 = 64;
constexpr std::size_t kHex512 = 128;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return policy::is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_algorithm(std::string_view text) {
  return !text.empty() && policy::is_alnum(text.front()) && std::ranges::all_of(text, [](char c) {
    return policy::is_alnum(c) || c == '+' || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

DigestKind kind_of_digest(std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos) return DigestKind::kMalformed;
  const std::string_view algorithm = digest.substr(0, colon);
  const std::string_view value = digest.substr(colon + 1);
  const bool is256 = algorithm == "sha256";
  if (is256 || algorithm == "sha512") {
    const bool fine = value.size() == (is256 ? kHex256 : kHex512) && is_hex(value);
    if (!fine) return DigestKind::kMalformed;
    return is256 ? DigestKind::kSha256 : DigestKind::kSha512;
  }
  return is_algorithm(algorithm) && !value.empty() ? DigestKind::kUnsupported
                                                   : DigestKind::kMalformed;
}

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool wide = false;
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(DigestKind kind) : state_(std::make_unique<State>()) {
  state_->wide = kind == DigestKind::kSha512;
  EVP_DigestInit_ex(state_->context, state_->wide ? EVP_sha512() : EVP_sha256(), nullptr);
}

Hasher::~Hasher() = default;

void Hasher::add(std::string_view piece) {
  EVP_DigestUpdate(state_->context, piece.data(), piece.size());
}

std::string Hasher::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, bytes.data(), &length);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = state_->wide ? "sha512:" : "sha256:";
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 0xFU];
  }
  return text;
}

std::string sha256_of(std::string_view content) {
  Hasher hasher;
  hasher.add(content);
  return hasher.digest();
}

bool has_digest(std::string_view content, std::string_view digest) {
  Hasher hasher(kind_of_digest(digest));
  hasher.add(content);
  return hasher.digest() == digest;
}

}  // namespace plimsoll::webhook::registry
