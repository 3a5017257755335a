// Reads the content of an image's layers: several at once, as they come, nothing kept on disk.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "policy/image_facts.h"
#include "webhook/layers/content_report.h"
#include "webhook/net/fetch.h"
#include "webhook/registry/registries.h"

namespace plimsoll::webhook::cli {

// Where layers come from. Used by several threads at once.
class LayerSource {
 public:
  LayerSource() = default;
  LayerSource(const LayerSource&) = delete;
  LayerSource& operator=(const LayerSource&) = delete;
  virtual ~LayerSource() = default;

  // Passes all of it to `sink`, whose content counts only where this succeeds.
  virtual policy::Fact<void> stream(const policy::Layer& layer, net::BodySink sink) = 0;
};

// From the registry that an image came from.
std::unique_ptr<LayerSource> registry_layers(std::shared_ptr<const registry::Registries> registries,
                                             registry::Repository repository);

struct Examination {
  layers::ContentReport report;
  std::vector<std::string> notes;  // what was left out, and why
};

inline constexpr unsigned kLayersAtOnce = 4;

// Layers that come from elsewhere than the registry are left out. With `progress` a line on
// standard error says how far it is. The error is a sentence.
std::expected<Examination, std::string> examine_layers(const policy::Manifest& manifest,
                                                       const policy::ImageConfig& config,
                                                       LayerSource& source,
                                                       bool progress);

}  // namespace plimsoll::webhook::cli
