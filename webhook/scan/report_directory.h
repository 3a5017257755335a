// Scan reports in files: a directory that is polled, one report a file.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "webhook/net/snapshot.h"
#include "webhook/scan/report_index.h"
#include "webhook/scan/source.h"

namespace plimsoll::webhook::scan {

inline constexpr std::size_t kMaxReportFiles = 10'000;
inline constexpr std::size_t kMaxReportErrors = 100;  // lines of errors()

// `poll` is called by one thread, everything else may be called by any.
class ReportDirectory final : public VerdictSource {
 public:
  ReportDirectory(std::string name, std::string path);

  // Reads what has changed: *.json and *.sarif, in the directory and in those directly below it,
  // hidden ones left out. A broken file keeps what it last said, and is tried again each minute: a
  // report of the future is one of the past soon. A file that is gone takes its items away; a
  // directory that cannot be listed does not.
  void poll() { poll(wall_clock()); }
  void poll(std::chrono::sys_seconds now);

  // By index digest, manifest digests, configuration digests, and at last by the reference.
  VerdictPointer find(const ScanSubject& subject) const override;
  std::uint64_t revision() const override { return revision_.load(std::memory_order_relaxed); }
  std::string_view name() const override { return name_; }
  std::shared_ptr<const ReportIndex> index() const { return index_.read(); }

  // "FILE: what is wrong", of the files as they are now; fit to be printed.
  std::vector<std::string> errors() const;
  std::size_t files() const { return file_count_.load(std::memory_order_relaxed); }
  std::size_t items() const { return item_count_.load(std::memory_order_relaxed); }
  // Reads that failed since the start, each only once for the same content of a file.
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  struct File {
    std::string stamp;  // of what was read last
    std::chrono::sys_seconds read_at;
    std::vector<ReportEntry> entries;
    std::string error;
    bool seen = false;
  };

  static std::chrono::sys_seconds wall_clock();
  bool look_at(const std::string& path, std::chrono::sys_seconds now);
  bool read(const std::string& path, std::chrono::sys_seconds now, File& file);
  bool drop_gone(const std::vector<std::string>& unlisted);
  void publish(std::chrono::sys_seconds now);
  void tell_errors(const std::vector<std::string>& unlisted, bool too_many);

  const std::string name_;
  const std::string path_;
  std::map<std::string, File> files_;
  std::optional<std::chrono::sys_seconds> next_expiry_;
  net::Snapshot<ReportIndex> index_;
  std::atomic<std::uint64_t> revision_ = 1;
  std::atomic<std::size_t> file_count_ = 0;
  std::atomic<std::size_t> item_count_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> errors_;
};

}  // namespace plimsoll::webhook::scan
