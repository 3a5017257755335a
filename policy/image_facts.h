// What is known of an image: each fact known, or unknown because of something.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/scan_verdict.h"
#include "policy/unknown.h"

namespace plimsoll::policy {

// Which facts somebody wants of an image; each costs requests of its own.
using FactSet = std::uint8_t;
inline constexpr FactSet kNoFacts = 0;
inline constexpr FactSet kResolution = 1;  // that it exists, its digest and its platforms
inline constexpr FactSet kManifest = 2;    // layers and sizes, per platform
inline constexpr FactSet kConfig = 4;      // what the image says of itself, per platform
inline constexpr FactSet kScan = 8;        // the verdict of a scanner

// Normalised: "linux", "arm64", "v7"; no variant for amd64 v1 and arm64 v8.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;  // Windows alone

  friend bool operator==(const Platform&, const Platform&) = default;
};

// "linux/arm/v7".
std::string platform_text(const Platform& platform);
// Nothing where it is not "os/architecture" or "os/architecture/variant". Aliases become one:
// "x86_64" is amd64, "aarch64" arm64, "armhf" arm/v7.
std::optional<Platform> parse_platform(std::string_view text);
// In place, as parse_platform does.
void normalise(Platform& platform);
// True where an image for `offered` runs on `wanted`, and then how well: 0 is best. Falls back from
// arm v7 to v6 and v5, from amd64 v3 to v2 and v1, as containerd does.
std::optional<unsigned> platform_distance(const Platform& wanted, const Platform& offered);

using KeyValues = std::vector<std::pair<std::string, std::string>>;
std::optional<std::string_view> find_value(const KeyValues& pairs, std::string_view key);

// One entry of an index.
struct OfferedPlatform {
  Platform platform;
  std::string digest;  // of its manifest
};

// What a reference stands for at present.
struct Resolution {
  std::string digest;                      // of the manifest or the index
  bool is_index = false;                   // else a manifest of one platform
  std::vector<OfferedPlatform> platforms;  // of an index: what it offers, without attestations
  KeyValues annotations;                   // of the index
  std::chrono::sys_seconds checked;        // when the registry was last asked
  std::chrono::sys_seconds first_seen;     // when this digest was first seen by this process
  bool stale = false;                      // the registry could not be asked again
};

enum class LayerCompression : std::uint8_t { kNone, kGzip, kZstd, kUnknown };

struct Layer {
  std::string digest;
  std::uint64_t size = 0;  // bytes as stored in the registry, at most 2^53
  std::string media_type;
  LayerCompression compression = LayerCompression::kUnknown;
  bool foreign = false;       // comes from elsewhere than the registry
  bool is_filesystem = true;  // false: a media type that is no layer's
};

struct Manifest {
  std::string digest;
  std::string config_digest;
  std::uint64_t config_size = 0;
  bool docker_format = false;  // Docker's media types, else OCI's
  std::vector<Layer> layers;   // bottom to top
  KeyValues annotations;
  std::uint64_t compressed_bytes = 0;  // configuration and layers; foreign ones too
  std::uint64_t pull_bytes = 0;        // the same, each digest once
  std::uint64_t foreign_bytes = 0;     // part of them
};

struct HistoryEntry {
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
};

enum class ImageHealthCheck : std::uint8_t {
  kAbsent,
  kPresent,
  kDisabled,  // HEALTHCHECK NONE
  kDropped,   // absent, and the builder is known to drop it from OCI images (buildah, podman)
};

// Values of `env` and `labels`, and `created_by`, may hold secrets: rules name keys and places.
struct ImageConfig {
  Platform platform;                                // as the configuration says
  std::optional<std::chrono::sys_seconds> created;  // nothing: absent, or not a date
  std::string user;                                 // "", "root", "65532", "app:app"
  KeyValues env;
  KeyValues labels;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  ImageHealthCheck health_check = ImageHealthCheck::kAbsent;
  std::vector<HistoryEntry> history;
  std::vector<std::string> diff_ids;  // bottom to top
};

struct ImageInsights;  // image_insights.h

// An image for one of the platforms that are asked about.
struct PlatformFacts {
  Platform platform;
  Fact<std::shared_ptr<const Manifest>> manifest;
  Fact<std::shared_ptr<const ImageConfig>> config;
  // What both show, worked out beforehand; nullptr: nobody did.
  std::shared_ptr<const ImageInsights> insights = nullptr;
};

// What was not asked for is unknown as well: nobody looks at it.
struct ImageFacts {
  Fact<Resolution> resolution;
  std::vector<PlatformFacts> platforms;  // in the order in which they were asked for; not empty
  Fact<std::shared_ptr<const ScanVerdict>> scan;

  // All of it unknown for the same reason.
  static ImageFacts unknown(const std::vector<Platform>& platforms, const Unknown& why);
};

}  // namespace plimsoll::policy
