// Files that others write while they are read here: found, told apart by what they are, read whole.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace plimsoll::webhook::scan {

struct ReportFile {
  std::string stamp;  // as of stamp_of
  std::string text;
};

// Device, inode, size and times, through links, so that Kubernetes' way to replace a mounted
// volume is seen. The error is a sentence; what is no regular file is one.
std::expected<std::string, std::string> stamp_of(const std::string& path);

// An error also if it is larger than `most` bytes, or has changed while it was read.
std::expected<ReportFile, std::string> read_report_file(const std::string& path, std::size_t most);

struct ReportListing {
  std::vector<std::string> paths;
  std::vector<std::string> unlisted;  // directories that are there and could not be listed
  bool too_many = false;              // more than `most`; `paths` holds that many
};

// *.json and *.sarif of the directory and of those directly below it, without hidden ones, sorted.
ReportListing list_reports(const std::string& directory, std::size_t most);

}  // namespace plimsoll::webhook::scan
