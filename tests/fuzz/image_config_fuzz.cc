// Configurations of images, and what is made of them: secrets are found and never shown.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/image_history.h"
#include "policy/image_secrets.h"
#include "policy/image_waste.h"
#include "webhook/registry/config_reader.h"

namespace policy = plimsoll::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto config = plimsoll::webhook::registry::read_config(bytes, (size % 2) == 0);
  if (!config) return 0;
  policy::find_baked_secrets(*config);
  policy::Manifest manifest;
  for (const policy::HistoryEntry& entry : config->history) {
    if (!entry.empty_layer)
      manifest.layers.push_back({.digest = "sha256:x", .size = 1u << 21U, .media_type = ""});
    for (const char c : policy::shown_instruction(entry.created_by)) {
      if (c == '\n' || c == '\x1b') std::abort();
    }
  }
  policy::find_waste(manifest, &*config);
  return 0;
}
