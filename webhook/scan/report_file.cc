#include "webhook/scan/report_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace plimsoll::webhook::scan {
namespace {

namespace filesystem = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

std::unexpected<std::string> failure(std::string_view what, int error) {
  return std::unexpected(
      fmt::format("it cannot be {}: {}", what, std::generic_category().message(error)));
}

std::string stamp_text(const struct stat& status) {
  return fmt::format("{} {} {} {}.{} {}.{}",
                     status.st_dev,
                     status.st_ino,
                     status.st_size,
                     status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

std::expected<std::string, std::string> stamp_of(const Descriptor& file) {
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return failure("read", errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected("it is no regular file");
  return stamp_text(status);
}

bool is_report(const filesystem::path& path) {
  return path.extension() == ".json" || path.extension() == ".sarif";
}

void list_into(const filesystem::path& directory,
               bool with_below,
               std::size_t most,
               ReportListing& listing) {
  std::error_code error;
  filesystem::directory_iterator at(directory, error);
  for (const filesystem::directory_iterator end; !error && at != end; at.increment(error)) {
    const filesystem::path& path = at->path();
    if (path.filename().string().starts_with('.')) continue;
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      if (with_below) list_into(path, false, most, listing);
      continue;
    }
    if (!is_report(path)) continue;
    if (listing.paths.size() < most) {
      listing.paths.push_back(path.string());
    } else {
      listing.too_many = true;
    }
  }
  // A directory below that is gone takes its files with it; the one that is configured must not.
  const bool gone = error == std::errc::no_such_file_or_directory && !with_below;
  if (error && !gone) listing.unlisted.push_back(directory.string());
}

}  // namespace

std::expected<std::string, std::string> stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failure("opened", errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected("it is no regular file");
  return stamp_text(status);
}

std::expected<ReportFile, std::string> read_report_file(const std::string& path, std::size_t most) {
  // A pipe must not keep the reader waiting.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return failure("opened", errno);
  const auto before = stamp_of(file);
  if (!before) return std::unexpected(before.error());
  constexpr std::size_t kChunk = 64 * 1024;
  std::string text;
  while (text.size() <= most) {
    const std::size_t size = text.size();
    text.resize(size + kChunk);
    const ssize_t got = ::read(file.number(), text.data() + size, kChunk);
    if (got < 0 && errno != EINTR) return failure("read", errno);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  if (text.size() > most) {
    return std::unexpected(fmt::format("it is larger than {} MiB", most >> 20U));
  }
  const auto after = stamp_of(file);
  if (!after || *after != *before) return std::unexpected("it changed while it was read");
  return ReportFile{*before, std::move(text)};
}

ReportListing list_reports(const std::string& directory, std::size_t most) {
  ReportListing listing;
  list_into(directory, true, most, listing);
  std::ranges::sort(listing.paths);
  return listing;
}

}  // namespace plimsoll::webhook::scan
