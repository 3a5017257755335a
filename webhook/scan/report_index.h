// All verdicts that a source's reports hold, to be found by digest or by reference.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/scan_verdict.h"
#include "webhook/scan/report_reader.h"

namespace plimsoll::webhook::scan {

using VerdictPointer = std::shared_ptr<const policy::ScanVerdict>;

// One image's part of a report as it is kept, to be indexed again and again.
struct ReportEntry {
  std::vector<std::string> digests;  // of an index, a manifest or a configuration
  std::vector<std::string> references;
  VerdictPointer verdict;
  VerdictPointer weak;  // the same for a match by reference; nullptr where there is none
  std::optional<std::chrono::sys_seconds> expires;
};
ReportEntry entry_of(ReportItem item, std::string_view source);

// Filled once, then read from any thread.
class ReportIndex {
 public:
  void add(const ReportEntry& entry);

  // The newest verdict of each digest that has not expired; of equally old ones the worse. Where
  // they are several, the worst of them all, or nullptr if one of them has no verdict: a platform
  // that has been scanned says nothing of one that has not.
  VerdictPointer find(std::span<const std::string_view> digests,
                      std::chrono::sys_seconds now) const;
  VerdictPointer find_reference(std::string_view reference, std::chrono::sys_seconds now) const;

  std::size_t items() const { return items_; }
  // When the next item behind `now` expires.
  std::optional<std::chrono::sys_seconds> next_expiry(std::chrono::sys_seconds now) const;

 private:
  struct Item {
    VerdictPointer verdict;
    std::optional<std::chrono::sys_seconds> expires;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Map = std::unordered_map<std::string, std::vector<Item>, TextHash, std::equal_to<>>;

  static VerdictPointer best_in(const Map& map, std::string_view key, std::chrono::sys_seconds now);

  Map by_digest_;
  Map by_reference_;
  std::vector<std::chrono::sys_seconds> expiries_;
  std::size_t items_ = 0;
};

// Of several platforms of one image the worst: the greatest count of each severity, the oldest
// scan. Only what all of them have is listed, so that what is ignored is never taken off the count
// of a platform that does not have it.
VerdictPointer worst_of(const std::vector<VerdictPointer>& verdicts);

}  // namespace plimsoll::webhook::scan
