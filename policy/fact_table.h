// The facts of one review: what is known of each of its images.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"
#include "policy/workload.h"

namespace plimsoll::policy {

struct ComparedImage {
  std::string reference;  // normalised
  std::shared_ptr<const ImageFacts> facts;
};

// Views; what they point to outlives the evaluation.
struct FactTable {
  // In the order of the workload's containers, or empty; null: nobody looked it up.
  std::span<const std::shared_ptr<const ImageFacts>> of_containers;
  std::span<const ComparedImage> compared;

  // nullptr where nobody looked it up.
  const ImageFacts* find(const Workload& workload, const Container& container) const {
    const auto at = static_cast<std::size_t>(&container - workload.containers.data());
    return at < of_containers.size() ? of_containers[at].get() : nullptr;
  }
  const ImageFacts* find_compared(std::string_view reference) const {
    for (const ComparedImage& image : compared) {
      if (image.reference == reference) return image.facts.get();
    }
    return nullptr;
  }
};

}  // namespace plimsoll::policy
