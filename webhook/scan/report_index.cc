#include "webhook/scan/report_index.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

namespace plimsoll::webhook::scan {
namespace {

using policy::ScanState;
using policy::ScanVerdict;
using policy::Vulnerability;

std::array<std::uint64_t, policy::kSeverities> totals_of(const ScanVerdict& verdict) {
  std::array<std::uint64_t, policy::kSeverities> totals{};
  for (std::size_t i = 0; i < totals.size(); ++i) totals[i] = verdict.counts[i].total;
  return totals;
}

// A scan rather than the promise of one: a rescan must not take a good report away. Then the newer
// one, then the worse.
bool is_better(const ScanVerdict& a, const ScanVerdict& b) {
  const auto rank = [](const ScanVerdict& verdict) {
    return std::tuple(verdict.state == ScanState::kScanned, verdict.scanned_at, totals_of(verdict));
  };
  return rank(a) > rank(b);
}

using Key =
    std::tuple<std::string_view, std::string_view, std::string_view, policy::Severity, bool>;

Key key_of(const Vulnerability& found) {
  return {found.id, found.package, found.installed, found.severity, found.fixed.empty()};
}

void keep_shared(std::vector<Vulnerability>& list, const std::vector<Vulnerability>& other) {
  std::set<Key> keys;
  for (const Vulnerability& found : other) keys.insert(key_of(found));
  std::erase_if(list,
                [&keys](const Vulnerability& found) { return !keys.contains(key_of(found)); });
}

void add_worse(ScanVerdict& worst, const ScanVerdict& other) {
  if (worst.state == ScanState::kScanned) worst.state = other.state;
  worst.weak = worst.weak || other.weak;
  worst.scanned_at = std::min(worst.scanned_at, other.scanned_at);  // not known is the oldest
  worst.has_fix_information = worst.has_fix_information && other.has_fix_information;
  for (std::size_t i = 0; i < policy::kSeverities; ++i) {
    policy::SeverityCount& count = worst.counts[i];
    count.total = std::max(count.total, other.counts[i].total);
    count.fixable = std::max(count.fixable, other.counts[i].fixable);
  }
  worst.packages = std::max(worst.packages, other.packages);
  worst.secrets = std::max(worst.secrets, other.secrets);
  keep_shared(worst.vulnerabilities, other.vulnerabilities);
}

}  // namespace

VerdictPointer worst_of(const std::vector<VerdictPointer>& verdicts) {
  if (verdicts.empty()) return nullptr;
  const VerdictPointer& first = verdicts.front();
  const auto differs = [&first](const VerdictPointer& verdict) { return verdict != first; };
  if (std::ranges::none_of(verdicts, differs)) return first;
  auto worst = std::make_shared<ScanVerdict>(*first);
  for (const VerdictPointer& other : verdicts) add_worse(*worst, *other);
  worst->list_complete = false;
  if (worst->has_fix_information) return worst;
  for (policy::SeverityCount& count : worst->counts) count.fixable.reset();
  return worst;
}

ReportEntry entry_of(ReportItem item, std::string_view source) {
  ReportEntry entry;
  entry.digests = std::move(item.digests);
  entry.digests.insert(entry.digests.end(), item.config_digests.begin(), item.config_digests.end());
  entry.references = std::move(item.references);
  entry.expires = item.expires;
  item.verdict.source = source;
  if (!entry.references.empty()) {
    ScanVerdict weak = item.verdict;
    weak.weak = true;
    weak.subject_digest.clear();
    entry.weak = std::make_shared<const ScanVerdict>(std::move(weak));
  }
  entry.verdict = std::make_shared<const ScanVerdict>(std::move(item.verdict));
  return entry;
}

void ReportIndex::add(const ReportEntry& entry) {
  ++items_;
  if (entry.expires) expiries_.push_back(*entry.expires);
  for (const std::string& digest : entry.digests) {
    by_digest_[digest].push_back({entry.verdict, entry.expires});
  }
  for (const std::string& reference : entry.references) {
    by_reference_[reference].push_back({entry.weak, entry.expires});
  }
}

VerdictPointer ReportIndex::best_in(const Map& map,
                                    std::string_view key,
                                    std::chrono::sys_seconds now) {
  const auto found = map.find(key);
  if (found == map.end()) return nullptr;
  VerdictPointer best;
  for (const Item& item : found->second) {
    if (item.expires && *item.expires <= now) continue;
    if (best == nullptr || is_better(*item.verdict, *best)) best = item.verdict;
  }
  return best;
}

VerdictPointer ReportIndex::find(std::span<const std::string_view> digests,
                                 std::chrono::sys_seconds now) const {
  std::vector<VerdictPointer> found;
  for (const std::string_view digest : digests) {
    VerdictPointer verdict = best_in(by_digest_, digest, now);
    if (verdict == nullptr) return nullptr;
    found.push_back(std::move(verdict));
  }
  return worst_of(found);
}

VerdictPointer ReportIndex::find_reference(std::string_view reference,
                                           std::chrono::sys_seconds now) const {
  return best_in(by_reference_, reference, now);
}

std::optional<std::chrono::sys_seconds> ReportIndex::next_expiry(
    std::chrono::sys_seconds now) const {
  std::optional<std::chrono::sys_seconds> next;
  for (const std::chrono::sys_seconds expiry : expiries_) {
    if (expiry > now && (!next || expiry < *next)) next = expiry;
  }
  return next;
}

}  // namespace plimsoll::webhook::scan
