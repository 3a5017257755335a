#include "webhook/cli/image_archive.h"

#include <algorithm>
#include <map>
#include <utility>

#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/cli/archive_files.h"
#include "webhook/registry/config_reader.h"
#include "webhook/registry/digest.h"
#include "webhook/registry/guarded_json.h"
#include "webhook/registry/manifest_reader.h"

namespace plimsoll::webhook::cli {
namespace {

namespace json = policy::json;
using policy::Fact;
using policy::ImageConfig;
using policy::ImageFacts;
using policy::Manifest;
using policy::Platform;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::string_view kDocker = "docker-archive:";
constexpr std::string_view kOciTar = "oci-archive:";
constexpr std::string_view kOci = "oci:";

using Files = std::shared_ptr<const ArchiveFiles>;

std::unexpected<Unknown> unknown(UnknownReason reason, std::string detail = "") {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

std::string blob_path(const std::string& digest) {
  std::string path = "blobs/" + digest;
  std::ranges::replace(path, ':', '/');
  return path;
}

// Layers by their digests: files of the archive.
class ArchiveLayers final : public LayerSource {
 public:
  ArchiveLayers(Files files, std::map<std::string, std::string> names)
      : files_(std::move(files)), names_(std::move(names)) {}

  Fact<void> stream(const policy::Layer& layer, net::BodySink sink) override {
    const auto name = names_.find(layer.digest);
    const std::string path = name != names_.end() ? name->second : blob_path(layer.digest);
    registry::Hasher hasher(registry::kind_of_digest(layer.digest));
    const auto read = files_->stream(path, [&hasher, &sink](std::string_view piece) {
      hasher.add(piece);
      return sink(piece);
    });
    if (!read) return unknown(UnknownReason::kInvalidContent, read.error());
    if (hasher.digest() != layer.digest) return unknown(UnknownReason::kDigestMismatch);
    return {};
  }

 private:
  Files files_;
  std::map<std::string, std::string> names_;
};

Fact<std::string> read_blob(const ArchiveFiles& files,
                            const std::string& digest,
                            std::uint64_t most) {
  auto bytes = files.read(blob_path(digest), most);
  if (!bytes) return unknown(UnknownReason::kNotFound, bytes.error());
  if (!registry::has_digest(*bytes, digest)) return unknown(UnknownReason::kDigestMismatch);
  return *std::move(bytes);
}

Fact<registry::ManifestOrIndex> read_manifest(const ArchiveFiles& files,
                                              const std::string& digest) {
  const auto bytes = read_blob(files, digest, registry::kMaxManifestBytes);
  if (!bytes) return std::unexpected(bytes.error());
  return registry::read_manifest(*bytes, "", digest);
}

void add_config(policy::PlatformFacts& platform, Fact<std::string> bytes) {
  if (!bytes) {
    platform.config = std::unexpected(bytes.error());
    return;
  }
  const Manifest& manifest = **platform.manifest;
  auto config = registry::read_config(*bytes, manifest.docker_format);
  if (!config) {
    platform.config = std::unexpected(config.error());
  } else if (config->diff_ids.size() != manifest.layers.size()) {
    platform.config = unknown(UnknownReason::kInconsistentImage);
  } else {
    platform.config = std::make_shared<const ImageConfig>(*std::move(config));
  }
}

policy::PlatformFacts nothing_known(const Platform& platform, const Unknown& why) {
  return {platform, std::unexpected(why), std::unexpected(why)};
}

policy::PlatformFacts oci_image(const ArchiveFiles& files,
                                const Platform& wanted,
                                Fact<Manifest> manifest) {
  if (!manifest) return nothing_known(wanted, manifest.error());
  policy::PlatformFacts platform = nothing_known(wanted, {UnknownReason::kInvalidContent, ""});
  const std::string config = manifest->config_digest;
  platform.manifest = std::make_shared<const Manifest>(*std::move(manifest));
  add_config(platform, read_blob(files, config, registry::kMaxConfigBytes));
  return platform;
}

Fact<Manifest> child_of(const ArchiveFiles& files,
                        const registry::Index& index,
                        const Platform& wanted) {
  const registry::IndexEntry* best = nullptr;
  for (const registry::IndexEntry& entry : index.entries) {
    const bool fits = entry.has_platform && policy::platform_distance(wanted, entry.platform);
    if (fits && best == nullptr) best = &entry;
  }
  if (best == nullptr) return unknown(UnknownReason::kNoMatchingPlatform);
  auto read = read_manifest(files, best->digest);
  if (!read) return std::unexpected(read.error());
  if (auto* manifest = std::get_if<Manifest>(&*read)) return std::move(*manifest);
  return unknown(UnknownReason::kInvalidContent, "an index within an index");
}

ImageFacts oci_facts(const ArchiveFiles& files,
                     const std::string& digest,
                     const std::vector<Platform>& platforms) {
  auto top = read_manifest(files, digest);
  if (!top) return ImageFacts::unknown(platforms, top.error());
  policy::Resolution resolution;
  resolution.digest = digest;
  const auto* index = std::get_if<registry::Index>(&*top);
  if (index != nullptr) {
    resolution.is_index = true;
    resolution.annotations = index->annotations;
    for (const registry::IndexEntry& entry : index->entries) {
      if (entry.has_platform) resolution.platforms.push_back({entry.platform, entry.digest});
    }
  }
  ImageFacts facts{std::move(resolution), {}, unknown(UnknownReason::kNoReport)};
  for (const Platform& wanted : platforms) {
    Fact<Manifest> manifest = index != nullptr ? child_of(files, *index, wanted)
                                               : Fact<Manifest>(std::get<Manifest>(*top));
    facts.platforms.push_back(oci_image(files, wanted, std::move(manifest)));
  }
  return facts;
}

struct NamedDigest {
  std::string digest;
  std::string name;
};

// index.json of a layout (opencontainers/image-spec image-layout.md).
std::expected<NamedDigest, std::string> choose_image(const std::string& text,
                                                     const std::string& name) {
  registry::GuardedJson document;
  const auto root = document.parse(text);
  const auto member = root ? json::last_member(*root, "manifests") : std::nullopt;
  const auto list = member ? json::as_array(*member) : std::nullopt;
  if (!list || list->size() == 0) return std::unexpected("its index.json names no image");
  constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
  std::string names;
  for (const json::Element element : *list) {
    const auto entry = json::as_object(element);
    const auto digest = entry ? json::last_member(*entry, "digest") : std::nullopt;
    if (!digest) continue;
    const auto annotations = json::last_member(*entry, "annotations");
    const auto pairs = annotations ? json::as_object(*annotations) : std::nullopt;
    const auto of_entry = pairs ? json::last_member(*pairs, kRefName) : std::nullopt;
    const std::string found(of_entry ? json::as_text(*of_entry).value_or("") : "");
    const std::string text_of_digest(json::as_text(*digest).value_or(""));
    const bool usable = registry::kind_of_digest(text_of_digest) == registry::DigestKind::kSha256;
    const bool wanted = name.empty() ? list->size() == 1 : found == name;
    if (wanted && usable) return NamedDigest{text_of_digest, found};
    constexpr std::size_t kMostNames = 500;
    if (names.size() < kMostNames) {
      names += (names.empty() ? "" : ", ") + policy::printable(found.empty() ? "(none)" : found);
    }
  }
  return std::unexpected("it holds several images or none of that name; name one behind a colon: " +
                         names);
}

// "FILE" or "FILE:NAME", where the file's own name may hold colons.
std::pair<std::string, std::string> split_name(std::string_view rest) {
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return {std::string(rest), ""};
  return {std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))};
}

std::expected<ArchivedImage, std::string> open_oci(const Files& files,
                                                   const std::string& name,
                                                   const std::vector<Platform>& platforms) {
  const auto text = files->read("index.json", registry::kMaxManifestBytes);
  if (!text) return std::unexpected(text.error());
  const auto chosen = choose_image(*text, name);
  if (!chosen) return std::unexpected(chosen.error());
  ArchivedImage image;
  image.facts = std::make_shared<const ImageFacts>(oci_facts(*files, chosen->digest, platforms));
  image.name = chosen->name;
  image.layers = std::make_unique<ArchiveLayers>(files, std::map<std::string, std::string>());
  return image;
}

struct DockerImage {
  std::string config;
  std::string tag;
  std::vector<std::string> layers;
};

// manifest.json of `docker save`: [{"Config": "x.json", "RepoTags": [...], "Layers": [...]}].
std::expected<DockerImage, std::string> read_docker_index(const std::string& text) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto list = parsed ? json::as_array(root) : std::nullopt;
  if (!list || list->size() == 0) return std::unexpected("its manifest.json names no image");
  if (list->size() > 1) return std::unexpected("it holds several images; save one alone");
  const auto object = json::as_object(*list->begin());
  const auto layers = object ? json::last_member(*object, "Layers") : std::nullopt;
  const auto names = layers ? json::as_array(*layers) : std::nullopt;
  const auto config = object ? json::last_member(*object, "Config") : std::nullopt;
  if (!names || !config) return std::unexpected("its manifest.json is not what docker save writes");
  DockerImage image;
  image.config = json::as_text(*config).value_or("");
  for (const json::Element name : *names) {
    if (image.layers.size() == registry::kMaxLayers) return std::unexpected("too many layers");
    image.layers.emplace_back(json::as_text(name).value_or(""));
  }
  const auto tags = json::last_member(*object, "RepoTags");
  const auto tag_list = tags ? json::as_array(*tags) : std::nullopt;
  if (tag_list && tag_list->size() > 0) image.tag = json::as_text(*tag_list->begin()).value_or("");
  return image;
}

std::expected<policy::Layer, std::string> docker_layer(const ArchiveFiles& files,
                                                       const std::string& name) {
  const auto bytes = files.size(name);
  if (!bytes) return std::unexpected(bytes.error());
  policy::Layer layer;
  layer.size = *bytes;
  registry::Hasher hasher;
  std::string head;
  const auto read = files.stream(name, [&hasher, &head](std::string_view piece) {
    if (head.empty()) head = piece.substr(0, 2);
    hasher.add(piece);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  layer.digest = hasher.digest();
  const bool gzip = head == "\x1f\x8b";
  layer.compression = gzip ? policy::LayerCompression::kGzip : policy::LayerCompression::kNone;
  layer.media_type = "application/vnd.docker.image.rootfs.diff.tar";
  if (gzip) layer.media_type += ".gzip";
  return layer;
}

std::expected<ArchivedImage, std::string> open_docker(const Files& files,
                                                      const std::vector<Platform>& platforms) {
  const auto text = files->read("manifest.json", registry::kMaxManifestBytes);
  if (!text) return std::unexpected(text.error());
  const auto index = read_docker_index(*text);
  if (!index) return std::unexpected(index.error());
  const auto config = files->read(index->config, registry::kMaxConfigBytes);
  if (!config) return std::unexpected(config.error());
  Manifest manifest;
  manifest.docker_format = true;
  manifest.config_digest = registry::sha256_of(*config);
  manifest.digest = manifest.config_digest;  // there is no other in such a file
  manifest.config_size = config->size();
  manifest.compressed_bytes = manifest.pull_bytes = config->size();
  std::map<std::string, std::string> names;
  for (const std::string& name : index->layers) {
    auto layer = docker_layer(*files, name);
    if (!layer) return std::unexpected(layer.error());
    manifest.compressed_bytes += layer->size;
    if (names.emplace(layer->digest, name).second) manifest.pull_bytes += layer->size;
    manifest.layers.push_back(*std::move(layer));
  }
  policy::PlatformFacts platform =
      nothing_known(platforms.front(), {UnknownReason::kInvalidContent, ""});
  policy::Resolution resolution;
  resolution.digest = manifest.digest;
  platform.manifest = std::make_shared<const Manifest>(std::move(manifest));
  add_config(platform, *config);
  if (platform.config) platform.platform = (*platform.config)->platform;
  ArchivedImage image;
  image.facts = std::make_shared<const ImageFacts>(
      ImageFacts{std::move(resolution), {platform}, unknown(UnknownReason::kNoReport)});
  image.name = index->tag;
  image.layers = std::make_unique<ArchiveLayers>(files, std::move(names));
  return image;
}

}  // namespace

bool is_archive(std::string_view reference) {
  return reference.starts_with(kDocker) || reference.starts_with(kOciTar) ||
         reference.starts_with(kOci);
}

std::expected<ArchivedImage, std::string> open_archive(const std::string& reference,
                                                       const std::vector<Platform>& platforms) {
  const std::string_view text = reference;
  if (text.starts_with(kDocker)) {
    auto files = open_tar(std::string(text.substr(kDocker.size())));
    if (!files) return std::unexpected(files.error());
    return open_docker(*std::move(files), platforms);
  }
  const bool tar = text.starts_with(kOciTar);
  const auto [path, name] = split_name(text.substr(tar ? kOciTar.size() : kOci.size()));
  auto files = tar ? open_tar(path) : open_directory(path);
  if (!files) return std::unexpected(files.error());
  return open_oci(*std::move(files), name, platforms);
}

}  // namespace plimsoll::webhook::cli
