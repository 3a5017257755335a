// Manifests, indexes and configurations by digest: content never changes, so it is kept until room
// is needed.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "policy/image_facts.h"
#include "webhook/registry/manifest_reader.h"

namespace plimsoll::webhook::facts {

using Content = std::variant<std::shared_ptr<const policy::Manifest>,
                             std::shared_ptr<const registry::Index>,
                             std::shared_ptr<const policy::ImageConfig>>;

// Memory of what was read, with what it points to, about.
std::size_t memory_of(const policy::Manifest& manifest);
std::size_t memory_of(const policy::ImageConfig& config);
std::size_t memory_of(const registry::Index& index);

// Used on one thread. The least recently used content goes first.
class ContentCache {
 public:
  explicit ContentCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // nullptr where it is not kept.
  const Content* find(const std::string& digest);
  void put(const std::string& digest, Content content);

  std::size_t bytes() const { return bytes_; }
  std::size_t entries() const { return places_.size(); }

 private:
  struct Entry {
    std::string digest;
    Content content;
    std::size_t bytes = 0;
  };

  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;
};

}  // namespace plimsoll::webhook::facts
