#include "webhook/documents/input_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace plimsoll::webhook::documents {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkBytes = 64 * 1024;  // of one read

bool is_manifest(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

class Walk {
 public:
  InputFiles run(const fs::path& root) {
    std::vector<fs::path> directories = {root};
    while (!directories.empty()) {
      const fs::path directory = std::move(directories.back());
      directories.pop_back();
      if (is_new(directory)) list(directory, directories);
    }
    std::ranges::sort(found_.paths);
    return std::move(found_);
  }

 private:
  bool is_new(const fs::path& directory) {
    std::error_code error;
    const fs::path real = fs::canonical(directory, error);
    return !error && entered_.insert(real.string()).second;
  }

  void list(const fs::path& directory, std::vector<fs::path>& directories) {
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const fs::path& path = entry->path();
      if (path.filename().string().starts_with("..")) continue;
      std::error_code status_error;
      const fs::file_status status = entry->status(status_error);
      if (status.type() == fs::file_type::directory) {
        directories.push_back(path);
      } else if (is_manifest(path) && status.type() == fs::file_type::regular) {
        found_.paths.push_back(path.string());
      } else if (is_manifest(path) && status.type() == fs::file_type::not_found) {
        found_.problems.push_back(path.string() + ": a link to nothing");
      }
    }
    if (error) found_.problems.push_back(directory.string() + ": " + error.message());
  }

  InputFiles found_;
  std::set<std::string> entered_;
};

// Closes the file at the end of the scope; standard input stays open.
class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

policy::Error from_errno(policy::ErrorKind kind) {
  return {kind, std::generic_category().message(errno)};
}

}  // namespace

InputFiles list_files(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (path == "-" || (fs::exists(status) && !fs::is_directory(status))) return {{path}, {}};
  if (fs::is_directory(status)) return Walk().run(path);
  const std::string why = error ? error.message() : "no such file or directory";
  return {{}, {path + ": " + why}};
}

policy::Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const File file(path);
  if (file.descriptor() < 0) return std::unexpected(from_errno(policy::ErrorKind::kNotFound));
  std::string text;
  std::array<char, kChunkBytes> chunk;
  while (true) {
    const ssize_t count = ::read(file.descriptor(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(from_errno(policy::ErrorKind::kUnavailable));
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) {
      return std::unexpected(
          policy::Error{policy::ErrorKind::kTooLarge,
                        fmt::format("larger than {} bytes; split the file", limit)});
    }
  }
}

}  // namespace plimsoll::webhook::documents
