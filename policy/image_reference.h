// Image references by the distribution grammar: exactly what a container runtime would pull
// (github.com/distribution/reference, ParseNormalizedNamed), less five forms that nothing can pull.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace plimsoll::policy {

inline constexpr std::size_t kMaxReferenceBytes = 1024;

// Views into the text that was parsed, or to constants.
struct ImageReference {
  std::string_view domain;  // as written, or "docker.io"
  std::string_view path;    // without the inserted "library/"
  std::string_view tag;     // empty: none
  std::string_view digest;  // "sha256:...", empty: none
  bool library = false;     // the runtime inserts "library/" before the path

  // What is pulled: the digest where there is one, else the tag, else "latest".
  bool is_pinned() const { return !digest.empty(); }
  std::string_view effective_tag() const { return tag.empty() ? "latest" : tag; }

  // "docker.io/library/ubuntu".
  std::string repository() const;
  // "docker.io/library/ubuntu:22.04" or "...@sha256:...", as the runtime would pull it.
  std::string normalised() const;
  // The host in lower case, ":443" removed, the names of Docker Hub made one ("docker.io"), IPv6
  // addresses in their shortest form: for comparing hosts, never for contacting one.
  std::string host_key() const;
};

// The error is a sentence of static lifetime, "the repository name must be lower case".
std::expected<ImageReference, std::string_view> parse_image_reference(std::string_view text);

// A glob over normalised references, itself normalised: "openpolicyagent/*" becomes
// "docker.io/openpolicyagent/*"; "*" and patterns whose host has a wildcard stay as they are.
// A pattern without tag and digest also matches every tag and digest of what it names:
// see `image_pattern_matches`.
std::string normalised_image_pattern(std::string_view pattern);

// `pattern` must be normalised. Tried on host_key/path, and on that with the tag, the digest, and
// both, so that "docker.io/library/nginx" and "docker.io/library/nginx:1.*" both work.
bool image_pattern_matches(std::string_view pattern, const ImageReference& reference);

}  // namespace plimsoll::policy
