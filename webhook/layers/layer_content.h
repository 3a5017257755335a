// What one layer holds: its paths and sizes, and the few files whose content tells more.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "webhook/layers/decompress.h"
#include "webhook/layers/tar_reader.h"

namespace plimsoll::webhook::layers {

inline constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{64} << 30U;  // unpacked
inline constexpr std::size_t kMaxLayerEntries = 2'000'000;
inline constexpr std::size_t kMaxDatabaseBytes = 64u << 20U;
inline constexpr std::size_t kMaxDatabasesBytes = 128u << 20U;  // of all of a layer
inline constexpr std::size_t kMaxLayerPathBytes = 256u << 20U;  // of all of a layer
inline constexpr std::uint64_t kHashedFrom = 64 * 1024;  // files of this size on are compared

using ContentHash = std::array<unsigned char, 32>;

struct LayerEntry {
  std::uint64_t size = 0;  // of files; hard links and everything else have none
  std::uint32_t path_at = 0;
  std::uint32_t path_bytes = 0;
  std::uint32_t hash = 0;  // index into `hashes`; 0: none
  std::uint16_t mode = 0;
  EntryType type = EntryType::kFile;
  bool whiteout = false;  // the path is removed: of what lies below
  bool opaque = false;    // everything below the path is removed
};

struct PackageDatabase {
  std::string path;
  std::string content;
};

struct LayerContent {
  std::vector<LayerEntry> entries;  // in their order
  std::string paths;                // of all of them
  std::vector<ContentHash> hashes;  // [0] is no hash
  std::vector<PackageDatabase> databases;
  bool has_rpm_database = false;
  bool truncated = false;          // more entries than are kept
  std::uint64_t tar_bytes = 0;     // unpacked
  std::uint64_t file_bytes = 0;    // of the files in it
  std::uint64_t packed_bytes = 0;  // as stored
  std::string diff_id;             // "sha256:...", of the unpacked stream
  Compression compression = Compression::kNone;

  std::string_view path(const LayerEntry& entry) const {
    return std::string_view(paths).substr(entry.path_at, entry.path_bytes);
  }
};

// Reads a layer as it streams by.
class LayerScan {
 public:
  LayerScan();
  LayerScan(const LayerScan&) = delete;
  LayerScan& operator=(const LayerScan&) = delete;
  ~LayerScan();

  // Bytes as stored. False: see error().
  bool feed(std::string_view bytes);
  bool finish();
  const std::string& error() const;
  LayerContent take();

 private:
  class Collector;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plimsoll::webhook::layers
