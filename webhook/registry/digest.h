// Digests of content (opencontainers/image-spec, descriptor.md): sha256 and sha512, in lower case.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace plimsoll::webhook::registry {

enum class DigestKind : std::uint8_t { kSha256, kSha512, kUnsupported, kMalformed };

// kUnsupported: of another algorithm; kMalformed: no digest at all.
DigestKind kind_of_digest(std::string_view digest);

// Hashes content piece by piece.
class Hasher {
 public:
  // kSha256 or kSha512.
  explicit Hasher(DigestKind kind = DigestKind::kSha256);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void add(std::string_view piece);
  // "sha256:..."; nothing may be added afterwards.
  std::string digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "sha256:..." of `content`.
std::string sha256_of(std::string_view content);

// True if `content` has that digest, which must be of a supported kind.
bool has_digest(std::string_view content, std::string_view digest);

}  // namespace plimsoll::webhook::registry
