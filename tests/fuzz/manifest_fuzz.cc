// Manifests and indexes: read or refused for a reason, never anything else.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policy/image_waste.h"
#include "webhook/registry/manifest_reader.h"

namespace registry = plimsoll::webhook::registry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const std::string digest = "sha256:" + std::string(64, 'a');
  for (const char* type : {"",
                           "application/vnd.oci.image.manifest.v1+json",
                           "application/vnd.docker.distribution.manifest.list.v2+json"}) {
    const auto read = registry::read_manifest(bytes, type, digest);
    if (!read) continue;
    if (const auto* index = std::get_if<registry::Index>(&*read)) {
      if (index->entries.size() > registry::kMaxChildren) std::abort();
      continue;
    }
    const auto& manifest = std::get<plimsoll::policy::Manifest>(*read);
    if (manifest.layers.size() > registry::kMaxLayers) std::abort();
    if (manifest.pull_bytes > manifest.compressed_bytes) std::abort();
    plimsoll::policy::find_waste(manifest, nullptr);
  }
  return 0;
}
