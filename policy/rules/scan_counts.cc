#include "policy/rules/scan_counts.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "policy/ascii.h"
#include "policy/dates.h"
#include "policy/printable.h"

namespace plimsoll::policy::rules {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

class IgnoreList {
 public:
  IgnoreList(std::span<const IgnoredId> ignored, std::chrono::sys_days today) : today_(today) {
    for (const IgnoredId& entry : ignored) {
      const auto [at, is_new] = by_id_.try_emplace(lower(entry.id), &entry);
      if (!is_new && at->second->expires < entry.expires) at->second = &entry;
    }
  }

  // Remembers what would have been ignored, had its entry not expired.
  bool ignores(const Vulnerability& vulnerability) {
    const IgnoredId* expired = nullptr;
    if (is_held(vulnerability.id, expired)) return true;
    for (const std::string& alias : vulnerability.aliases) {
      if (is_held(alias, expired)) return true;
    }
    const bool told = std::ranges::find(expired_, expired) != expired_.end();
    if (expired != nullptr && !told) expired_.push_back(expired);
    return false;
  }

  bool empty() const { return by_id_.empty(); }
  const std::vector<const IgnoredId*>& expired() const { return expired_; }

 private:
  bool is_held(std::string_view id, const IgnoredId*& expired) const {
    if (by_id_.empty()) return false;
    const auto at = by_id_.find(lower(id));
    if (at == by_id_.end()) return false;
    if (at->second->expires >= today_) return true;
    expired = at->second;
    return false;
  }

  std::chrono::sys_days today_;
  std::map<std::string, const IgnoredId*> by_id_;
  std::vector<const IgnoredId*> expired_;
};

}  // namespace

RemainingCounts remaining_counts(const ScanVerdict& verdict,
                                 std::span<const IgnoredId> ignored,
                                 std::chrono::sys_seconds now) {
  RemainingCounts counts;
  for (std::size_t s = 0; s < kCeilings; ++s) {
    counts.total[s] = verdict.counts[s].total;
    counts.fixable[s] = verdict.counts[s].fixable.value_or(0);
  }
  IgnoreList list(ignored, std::chrono::floor<std::chrono::days>(now));
  std::uint64_t taken_off = 0;
  for (const Vulnerability& vulnerability : verdict.vulnerabilities) {
    if (!list.ignores(vulnerability)) {
      counts.listed.push_back(&vulnerability);
      continue;
    }
    const auto s = static_cast<std::size_t>(vulnerability.severity);
    if (s >= kCeilings || counts.total[s] == 0) continue;
    --counts.total[s];
    if (!vulnerability.fixed.empty() && counts.fixable[s] > 0) --counts.fixable[s];
    ++taken_off;
  }
  if (taken_off > 0) {
    counts.note += "\n" + std::to_string(taken_off) +
                   (taken_off == 1 ? " more is ignored" : " more are ignored") + " by the policy";
  }
  for (const IgnoredId* entry : list.expired()) {
    counts.note += "\n" + printable(entry->id) + " was ignored until " + date_text(entry->expires) +
                   " and is no longer";
  }
  if (!verdict.list_complete && !list.empty()) {
    counts.note +=
        "\nthe report does not list every vulnerability: ignored ids that it does not list cannot "
        "be taken off";
  }
  return counts;
}

}  // namespace plimsoll::policy::rules
