// Images in files: docker-archive:FILE, oci-archive:FILE[:NAME], oci:DIRECTORY[:NAME].
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"
#include "webhook/cli/layer_examination.h"

namespace plimsoll::webhook::cli {

bool is_archive(std::string_view reference);

struct ArchivedImage {
  std::shared_ptr<const policy::ImageFacts> facts;
  std::string name;                     // as the archive says; may be empty
  std::unique_ptr<LayerSource> layers;  // of the first platform
};

// `platforms` is not empty. What is wrong with the image becomes an unknown fact; the error is
// about the archive itself, a sentence.
std::expected<ArchivedImage, std::string> open_archive(
    const std::string& reference, const std::vector<policy::Platform>& platforms);

}  // namespace plimsoll::webhook::cli
