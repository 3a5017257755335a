#include "webhook/facts/content_cache.h"

#include <utility>

namespace plimsoll::webhook::facts {
namespace {

constexpr std::size_t kInline = 15;  // characters of a std::string that take no memory of their own

std::size_t of(const std::string& text) {
  return sizeof(std::string) + (text.capacity() > kInline ? text.capacity() + 1 : 0);
}

std::size_t of(const policy::KeyValues& pairs) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : pairs) bytes += of(key) + of(value);
  return bytes;
}

std::size_t of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += of(text);
  return bytes;
}

}  // namespace

std::size_t memory_of(const policy::Manifest& manifest) {
  std::size_t bytes = sizeof manifest + of(manifest.digest) + of(manifest.config_digest);
  for (const policy::Layer& layer : manifest.layers) {
    bytes += sizeof layer + of(layer.digest) + of(layer.media_type);
  }
  return bytes + of(manifest.annotations);
}

std::size_t memory_of(const policy::ImageConfig& config) {
  std::size_t bytes = sizeof config + of(config.user) + of(config.env) + of(config.labels) +
                      of(config.entrypoint) + of(config.command) + of(config.diff_ids);
  for (const policy::HistoryEntry& entry : config.history) {
    bytes += sizeof entry + of(entry.created_by) + of(entry.comment);
  }
  return bytes;
}

std::size_t memory_of(const registry::Index& index) {
  std::size_t bytes = sizeof index + of(index.annotations);
  for (const registry::IndexEntry& entry : index.entries) bytes += sizeof entry + of(entry.digest);
  return bytes;
}

const Content* ContentCache::find(const std::string& digest) {
  const auto place = places_.find(digest);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return &place->second->content;
}

void ContentCache::put(const std::string& digest, Content content) {
  if (places_.contains(digest)) return;
  constexpr std::size_t kOverhead = 160;  // of the entry itself and its place
  const std::size_t bytes =
      kOverhead + std::visit([](const auto& kept) { return memory_of(*kept); }, content);
  entries_.push_front({digest, std::move(content), bytes});
  places_.emplace(entries_.front().digest, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > most_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    places_.erase(entries_.back().digest);
    entries_.pop_back();
  }
}

}  // namespace plimsoll::webhook::facts
