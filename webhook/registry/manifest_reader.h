// Reads what a registry serves as a manifest: OCI and Docker, of one image or of many platforms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/image_facts.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxManifestBytes = 4u << 20U;
inline constexpr std::size_t kMaxLayers = 1'000;
inline constexpr std::size_t kMaxChildren = 100;
inline constexpr std::size_t kMaxAnnotations = 1'000;

struct IndexEntry {
  std::string digest;
  std::uint64_t size = 0;
  policy::Platform platform;  // empty where has_platform is false
  bool has_platform = false;
  bool is_index = false;
};

struct Index {
  std::vector<IndexEntry> entries;  // images and indexes; no attestations, no artifacts
  policy::KeyValues annotations;
};

using ManifestOrIndex = std::variant<policy::Manifest, Index>;

// `content_type` as the registry says, may be empty or something general; `digest` is that of
// `bytes`. Errors: kSchema1, kNotAnImage, kAmbiguousJson, kInvalidContent, kTooLarge,
// kUnsupportedDigest. opencontainers/image-spec manifest.md, image-index.md.
policy::Fact<ManifestOrIndex> read_manifest(std::string_view bytes,
                                            std::string_view content_type,
                                            std::string digest);

// What a request for manifests accepts.
inline constexpr std::string_view kAcceptedManifests =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

}  // namespace plimsoll::webhook::registry
