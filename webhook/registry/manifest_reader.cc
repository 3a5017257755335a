#include "webhook/registry/manifest_reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "policy/ascii.h"
#include "webhook/registry/digest.h"
#include "webhook/registry/guarded_json.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using policy::Fact;
using policy::Layer;
using policy::LayerCompression;
using policy::Manifest;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
constexpr std::string_view kSchema1Prefix = "application/vnd.docker.distribution.manifest.v1+";

constexpr std::array<std::string_view, 9> kTopNames = {"schemaVersion",
                                                       "mediaType",
                                                       "artifactType",
                                                       "config",
                                                       "layers",
                                                       "manifests",
                                                       "fsLayers",
                                                       "subject",
                                                       "annotations"};
constexpr std::array<std::string_view, 8> kDescriptorNames = {
    "mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"};
constexpr std::array<std::string_view, 6> kPlatformNames = {
    "architecture", "os", "os.version", "os.features", "variant", "features"};

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail = "") {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

// "application/json" and the like say nothing.
std::string media_type_of(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  std::string lowered;
  for (const char c : type) lowered += policy::to_lower(c);
  const bool says_something = lowered.starts_with("application/vnd.");
  return says_something ? lowered : std::string();
}

struct Descriptor {
  std::string media_type;
  std::string artifact_type;
  std::string digest;
  std::uint64_t size = 0;
  bool has_urls = false;
  policy::KeyValues annotations;
  std::optional<json::Object> platform;
};

Fact<Descriptor> read_descriptor(const json::Element& element) {
  const auto object = json::as_object(element);
  if (!object) return refused(UnknownReason::kInvalidContent, "a descriptor is no object");
  const auto fields = Fields::of(*object, kDescriptorNames);
  if (!fields) return std::unexpected(fields.error());
  auto media_type = fields->text("mediaType");
  auto artifact_type = fields->text("artifactType");
  auto digest = fields->text("digest");
  const auto size = fields->size("size");
  const auto urls = fields->array("urls");
  auto annotations = fields->map("annotations", kMaxAnnotations);
  const auto platform = fields->object("platform");
  if (!media_type) return std::unexpected(media_type.error());
  if (!artifact_type) return std::unexpected(artifact_type.error());
  if (!digest) return std::unexpected(digest.error());
  if (!size) return std::unexpected(size.error());
  if (!urls) return std::unexpected(urls.error());
  if (!annotations) return std::unexpected(annotations.error());
  if (!platform) return std::unexpected(platform.error());
  const DigestKind kind = kind_of_digest(*digest);
  if (kind == DigestKind::kMalformed) {
    return refused(UnknownReason::kInvalidContent, "a digest is none");
  }
  if (kind == DigestKind::kUnsupported) return refused(UnknownReason::kUnsupportedDigest);
  const bool has_urls = *urls && (*urls)->size() > 0;
  return Descriptor{*std::move(media_type),
                    *std::move(artifact_type),
                    *std::move(digest),
                    *size,
                    has_urls,
                    *std::move(annotations),
                    *platform};
}

Layer layer_of(const Descriptor& descriptor) {
  Layer layer{
      .digest = descriptor.digest, .size = descriptor.size, .media_type = descriptor.media_type};
  const std::string_view type = descriptor.media_type;
  layer.foreign = type.find("nondistributable") != std::string_view::npos ||
                  type.find(".foreign.") != std::string_view::npos || descriptor.has_urls;
  layer.is_filesystem = type.starts_with("application/vnd.oci.image.layer.") ||
                        type.starts_with("application/vnd.docker.image.rootfs.");
  if (type.ends_with("gzip")) {
    layer.compression = LayerCompression::kGzip;
  } else if (type.ends_with("zstd")) {
    layer.compression = LayerCompression::kZstd;
  } else if (type.ends_with(".tar")) {
    layer.compression = LayerCompression::kNone;
  }
  return layer;
}

// Sums cannot overflow: at most 1,001 sizes of at most 2^53.
void add_up(Manifest& manifest) {
  std::set<std::string_view> seen{manifest.config_digest};
  manifest.compressed_bytes = manifest.pull_bytes = manifest.config_size;
  for (const Layer& layer : manifest.layers) {
    manifest.compressed_bytes += layer.size;
    if (layer.foreign) manifest.foreign_bytes += layer.size;
    if (seen.insert(layer.digest).second) manifest.pull_bytes += layer.size;
  }
}

Fact<ManifestOrIndex> read_image(const Fields& fields, std::string_view type, std::string digest) {
  const auto config_element = fields.find("config");
  const auto layers = fields.array("layers");
  auto annotations = fields.map("annotations", kMaxAnnotations);
  if (!config_element) return refused(UnknownReason::kInvalidContent, "config is missing");
  if (!layers) return std::unexpected(layers.error());
  if (!annotations) return std::unexpected(annotations.error());
  const auto config = read_descriptor(*config_element);
  if (!config) return std::unexpected(config.error());
  if (config->media_type != kOciConfig && config->media_type != kDockerConfig) {
    return refused(UnknownReason::kNotAnImage);
  }
  Manifest manifest;
  manifest.digest = std::move(digest);
  manifest.docker_format = type == kDockerManifest;
  manifest.config_digest = config->digest;
  manifest.config_size = config->size;
  manifest.annotations = *std::move(annotations);
  if (*layers) {
    for (const json::Element element : **layers) {
      if (manifest.layers.size() == kMaxLayers) {
        return refused(UnknownReason::kTooLarge, "more than 1,000 layers");
      }
      const auto layer = read_descriptor(element);
      if (!layer) return std::unexpected(layer.error());
      manifest.layers.push_back(layer_of(*layer));
    }
  }
  add_up(manifest);
  return manifest;
}

Fact<policy::Platform> read_platform(const json::Object& object) {
  const auto fields = Fields::of(object, kPlatformNames);
  if (!fields) return std::unexpected(fields.error());
  auto os = fields->text("os");
  auto architecture = fields->text("architecture");
  auto variant = fields->text("variant");
  auto version = fields->text("os.version");
  for (const auto* part : {&os, &architecture, &variant, &version}) {
    if (!*part) return std::unexpected(part->error());
  }
  policy::Platform platform{
      *std::move(os), *std::move(architecture), *std::move(variant), *std::move(version)};
  policy::normalise(platform);
  return platform;
}

bool is_index_type(std::string_view type) {
  return type == kOciIndex || type == kDockerList;
}
bool is_image_type(std::string_view type) {
  return type == kOciManifest || type == kDockerManifest;
}

Fact<ManifestOrIndex> read_index(const Fields& fields) {
  const auto manifests = fields.array("manifests");
  auto annotations = fields.map("annotations", kMaxAnnotations);
  if (!manifests) return std::unexpected(manifests.error());
  if (!annotations) return std::unexpected(annotations.error());
  Index index;
  index.annotations = *std::move(annotations);
  if (!*manifests) return index;
  if ((*manifests)->size() > kMaxChildren) {
    return refused(UnknownReason::kTooLarge, "more than 100 entries in the index");
  }
  for (const json::Element element : **manifests) {
    const auto descriptor = read_descriptor(element);
    if (!descriptor) return std::unexpected(descriptor.error());
    IndexEntry entry{.digest = descriptor->digest, .size = descriptor->size, .platform = {}};
    entry.is_index = is_index_type(descriptor->media_type);
    if (!entry.is_index && !is_image_type(descriptor->media_type)) continue;
    if (policy::find_value(descriptor->annotations, "vnd.docker.reference.type")) continue;
    if (descriptor->platform) {
      const auto platform = read_platform(*descriptor->platform);
      if (!platform) return std::unexpected(platform.error());
      if (platform->os == "unknown" || platform->architecture == "unknown") continue;
      entry.platform = *platform;
      entry.has_platform = !platform->os.empty() && !platform->architecture.empty();
    }
    index.entries.push_back(std::move(entry));
  }
  return index;
}

}  // namespace

Fact<ManifestOrIndex> read_manifest(std::string_view bytes,
                                    std::string_view content_type,
                                    std::string digest) {
  if (bytes.size() > kMaxManifestBytes) return refused(UnknownReason::kTooLarge);
  const std::string served = media_type_of(content_type);
  if (served.starts_with(kSchema1Prefix)) return refused(UnknownReason::kSchema1);
  GuardedJson document;
  const auto object = document.parse(bytes);
  if (!object) return std::unexpected(object.error());
  const auto fields = Fields::of(*object, kTopNames);
  if (!fields) return std::unexpected(fields.error());
  const auto written = fields->text("mediaType");
  if (!written) return std::unexpected(written.error());
  const bool has_index = fields->find("manifests").has_value();
  const bool has_image = fields->find("layers").has_value() || fields->find("config").has_value();
  const bool has_schema1 = fields->find("fsLayers").has_value();
  if (int{has_index} + int{has_image} + int{has_schema1} > 1) {
    return refused(UnknownReason::kAmbiguousJson, "it is an image and an index in one");
  }
  if (has_schema1) return refused(UnknownReason::kSchema1);
  if (!served.empty() && !written->empty() && served != *written) {
    return refused(UnknownReason::kAmbiguousJson,
                   "its media type is not the one it is served with");
  }
  const std::string& type = served.empty() ? *written : served;
  if (is_index_type(type) || (type.empty() && has_index)) {
    if (has_image) return refused(UnknownReason::kAmbiguousJson, "an index with layers");
    return read_index(*fields);
  }
  if (!is_image_type(type) && !(type.empty() && has_image)) {
    return refused(UnknownReason::kNotAnImage);
  }
  if (has_index) return refused(UnknownReason::kAmbiguousJson, "an image with manifests");
  return read_image(*fields, type, std::move(digest));
}

}  // namespace plimsoll::webhook::registry
