// The file of --registries of a running server: polled, published as a whole, the last good one
// kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "webhook/net/snapshot.h"
#include "webhook/registry/registries.h"

namespace plimsoll::webhook::registry {

// `poll` is called by one thread; everything else may be called by any.
class RegistryFile {
 public:
  enum class Outcome : std::uint8_t { kUnchanged, kLoaded, kRefused };

  // Empty path: every public registry, no credentials.
  RegistryFile(std::string path, net::Snapshot<Registries>& target)
      : path_(std::move(path)), target_(target) {}

  // Reads the file and those that it names. The first call publishes, or there is nothing yet.
  Outcome poll();

  // Why the files as they are now are not what is published; empty: they are.
  std::vector<std::string> errors() const;
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  Outcome refuse(std::vector<std::string> errors);

  const std::string path_;
  net::Snapshot<Registries>& target_;
  std::string published_;  // digest of what is published
  std::atomic<std::uint64_t> failures_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> errors_;
};

}  // namespace plimsoll::webhook::registry
