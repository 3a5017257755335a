// What only the content of layers shows: bytes that are there for nothing, and what fills an image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "webhook/layers/layer_content.h"

namespace plimsoll::webhook::layers {

inline constexpr std::size_t kMaxListed = 20;  // of every list below

inline constexpr std::uint64_t kLargeFrom = 1u << 20U;  // bytes of a large file

struct SizedPath {
  std::string path;
  std::uint64_t bytes = 0;
  std::size_t layers = 1;  // in how many it stands, or which one it is in (from 0)
};

struct LayerSummary {
  std::uint64_t tar_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t files = 0;
  std::uint64_t removed_bytes = 0;  // overwritten or removed by a layer above
  Compression compression = Compression::kNone;
  std::string diff_id;
};

struct DuplicateGroup {
  std::uint64_t bytes = 0;  // of one copy
  std::vector<std::string> paths;
  std::uint64_t wasted() const { return bytes * (paths.size() - 1); }
};

struct NamedBytes {
  std::string name;  // "apt lists", "gcc"
  std::uint64_t bytes = 0;
  std::size_t layer = 0;  // where the greatest part of it is
};

struct PackageCount {
  std::string kind;  // "dpkg", "apk"
  std::uint64_t packages = 0;
};

struct ContentReport {
  std::uint64_t total_bytes = 0;  // of the files of all layers
  // As github.com/wagoodman/dive computes them: wasted counts every copy of what stands in several
  // layers, and does not see directories that are removed as a whole.
  double efficiency = 1.0;
  std::uint64_t wasted_bytes = 0;
  // What is in a layer and not in the image that containers see: could be saved.
  std::uint64_t removable_bytes = 0;
  std::vector<SizedPath> wasted_paths;  // by removable bytes; `layers`: in how many
  std::vector<LayerSummary> layers;
  std::vector<DuplicateGroup> duplicates;  // files of the same content, from 64 KiB
  std::uint64_t duplicate_bytes = 0;       // that could be saved, of all groups
  std::vector<NamedBytes> caches;
  std::vector<NamedBytes> build_tools;
  std::vector<PackageCount> packages;
  bool has_rpm_database = false;       // whose packages are not counted
  std::vector<SizedPath> large_files;  // `layers`: which one it is in
  std::uint64_t setuid_files = 0;
  std::vector<std::string> setuid_paths;
  bool truncated = false;
};

// `contents` from the bottom to the top.
ContentReport report_on(const std::vector<LayerContent>& contents);

// Names of known places: empty where the path is of no such kind.
std::string_view cache_of(std::string_view path);
std::string_view build_tool_of(std::string_view path);

}  // namespace plimsoll::webhook::layers
