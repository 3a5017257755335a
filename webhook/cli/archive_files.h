// The files of an image archive: in a directory, or in a tar file of which only the places are
// kept.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "webhook/net/fetch.h"

namespace plimsoll::webhook::cli {

// Safe to use from several threads. Errors are sentences.
class ArchiveFiles {
 public:
  ArchiveFiles() = default;
  ArchiveFiles(const ArchiveFiles&) = delete;
  ArchiveFiles& operator=(const ArchiveFiles&) = delete;
  virtual ~ArchiveFiles() = default;

  virtual std::expected<std::uint64_t, std::string> size(const std::string& name) const = 0;
  // False of the sink ends it without an error.
  virtual std::expected<void, std::string> stream(const std::string& name,
                                                  const net::BodySink& sink) const = 0;

  std::expected<std::string, std::string> read(const std::string& name, std::uint64_t most) const;
};

std::expected<std::unique_ptr<ArchiveFiles>, std::string> open_directory(const std::string& path);
std::expected<std::unique_ptr<ArchiveFiles>, std::string> open_tar(const std::string& path);

}  // namespace plimsoll::webhook::cli
