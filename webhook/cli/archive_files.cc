#include "webhook/cli/archive_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "webhook/layers/tar_reader.h"

namespace plimsoll::webhook::cli {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

std::unexpected<std::string> cannot_read(const std::string& name) {
  return std::unexpected(name + " cannot be read");
}

// Part of a file, piece by piece, with a handle of its own.
std::expected<void, std::string> stream_part(const std::string& path,
                                             std::uint64_t offset,
                                             std::uint64_t size,
                                             const net::BodySink& sink) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string piece(kPieceBytes, '\0');
  while (size > 0) {
    const auto wanted = std::min<std::uint64_t>(size, piece.size());
    file.read(piece.data(), static_cast<std::streamsize>(wanted));
    if (static_cast<std::uint64_t>(file.gcount()) != wanted) return cannot_read(path);
    size -= wanted;
    if (!sink(std::string_view(piece).substr(0, wanted))) break;
  }
  return {};
}

class Directory final : public ArchiveFiles {
 public:
  explicit Directory(std::string path) : path_(std::move(path)) {}

  std::expected<std::uint64_t, std::string> size(const std::string& name) const override {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path_ + "/" + name, error);
    if (error) return cannot_read(path_ + "/" + name);
    return bytes;
  }
  std::expected<void, std::string> stream(const std::string& name,
                                          const net::BodySink& sink) const override {
    const auto bytes = size(name);
    if (!bytes) return std::unexpected(bytes.error());
    return stream_part(path_ + "/" + name, 0, *bytes, sink);
  }

 private:
  std::string path_;
};

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string link;  // docker save writes equal layers as links
};

class PlaceCollector final : public layers::TarVisitor {
 public:
  explicit PlaceCollector(std::map<std::string, Place>& places) : places_(places) {}

  void entry(const layers::TarEntry& entry) override {
    const bool link =
        entry.type == layers::EntryType::kSymlink || entry.type == layers::EntryType::kHardLink;
    if (entry.type == layers::EntryType::kFile)
      places_[entry.path] = {entry.offset, entry.size, ""};
    if (link) places_[entry.path] = {0, 0, entry.link};
  }
  void data(std::string_view) override {}
  void end_of_entry() override {}

 private:
  std::map<std::string, Place>& places_;
};

class Tar final : public ArchiveFiles {
 public:
  explicit Tar(std::string path) : path_(std::move(path)) {}

  std::expected<void, std::string> open() {
    constexpr std::uint64_t kMostFiles = 100'000;
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path_, error);
    if (error) return cannot_read(path_);
    PlaceCollector collector(places_);
    layers::TarReader reader(collector, {.entries = kMostFiles});
    const auto read = stream_part(
        path_, 0, bytes, [&reader](std::string_view piece) { return reader.feed(piece); });
    if (!read) return read;
    if (reader.finish()) return {};
    return std::unexpected(path_ + " is no tar archive: " + reader.error() +
                           "; unpack it first where it is compressed");
  }

  std::expected<std::uint64_t, std::string> size(const std::string& name) const override {
    const Place* place = find(name);
    if (place == nullptr) return std::unexpected("there is no " + name + " in it");
    return place->size;
  }
  std::expected<void, std::string> stream(const std::string& name,
                                          const net::BodySink& sink) const override {
    const Place* place = find(name);
    if (place == nullptr) return std::unexpected("there is no " + name + " in it");
    return stream_part(path_, place->offset, place->size, sink);
  }

 private:
  // Links are relative to where they stand: "../ID/layer.tar".
  const Place* find(std::string name) const {
    constexpr int kMostLinks = 4;
    for (int hop = 0; hop < kMostLinks; ++hop) {
      const auto at = places_.find(name);
      if (at == places_.end()) return nullptr;
      if (at->second.link.empty()) return &at->second;
      const std::filesystem::path from = std::filesystem::path(name).parent_path();
      name = (from / at->second.link).lexically_normal().string();
    }
    return nullptr;
  }

  std::string path_;
  std::map<std::string, Place> places_;
};

}  // namespace

std::expected<std::string, std::string> ArchiveFiles::read(const std::string& name,
                                                           std::uint64_t most) const {
  const auto bytes = size(name);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > most) return std::unexpected(name + " is larger than is read");
  std::string text;
  const auto read = stream(name, [&text](std::string_view piece) {
    text += piece;
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return text;
}

std::expected<std::unique_ptr<ArchiveFiles>, std::string> open_directory(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return std::unexpected(path + " is no directory");
  }
  return std::make_unique<Directory>(path);
}

std::expected<std::unique_ptr<ArchiveFiles>, std::string> open_tar(const std::string& path) {
  auto tar = std::make_unique<Tar>(path);
  const auto opened = tar->open();
  if (!opened) return std::unexpected(opened.error());
  return tar;
}

}  // namespace plimsoll::webhook::cli
