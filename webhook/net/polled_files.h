// Files that are read together and put into force as one: polled, the old ones kept on any error.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::net {

// Files are read whole and compared by content, so that symlink swaps of mounted Secrets count.
// `load` and `poll` are called from one thread; the rest from any.
class PolledFiles {
 public:
  PolledFiles(const PolledFiles&) = delete;
  PolledFiles& operator=(const PolledFiles&) = delete;
  virtual ~PolledFiles() = default;

  // Reads them for the first time.
  policy::Result<void> load();

  enum class Change : std::uint8_t { kNone, kSwapped, kFailed };
  struct Polled {
    Change change = Change::kNone;
    std::string message;  // why it failed; only the first time for the same content
  };
  Polled poll();

  std::uint64_t failures() const { return failures_; }
  std::uint64_t swaps() const { return swaps_; }

 protected:
  explicit PolledFiles(std::vector<std::filesystem::path> paths);

  // Puts the texts of the files into force, in their order; none is larger than kMaxPemBytes. The
  // error is a clause: "there is no certificate in PEM form".
  virtual policy::Result<void> adopt(const std::vector<std::string>& texts) = 0;

 private:
  policy::Result<std::vector<std::string>> read() const;
  policy::Result<void> adopt_named(const std::vector<std::string>& texts);

  std::vector<std::filesystem::path> paths_;
  std::vector<std::string> last_seen_;  // what was read last, good or bad
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> swaps_ = 0;
};

}  // namespace plimsoll::webhook::net
