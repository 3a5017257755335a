// Reads an image's configuration (opencontainers/image-spec config.md, with Docker's extensions).
#pragma once

#include <cstddef>
#include <string_view>

#include "policy/image_facts.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxConfigBytes = 4u << 20U;
inline constexpr std::size_t kMaxHistory = 4'096;
inline constexpr std::size_t kMaxLabels = 1'000;
inline constexpr std::size_t kMaxVariables = 1'000;

// `docker_format`: the manifest's; OCI images of some builders lose their HEALTHCHECK. Errors:
// kInvalidContent, kAmbiguousJson, kTooLarge.
policy::Fact<policy::ImageConfig> read_config(std::string_view bytes, bool docker_format);

}  // namespace plimsoll::webhook::registry
