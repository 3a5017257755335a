#include "webhook/scan/report_index.h"

#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

using policy::ScanState;
using policy::Severity;

ReportItem item_of(char digest, std::optional<std::chrono::sys_seconds> at, std::uint64_t high) {
  ReportItem item;
  item.digests = {digest_of(digest)};
  item.verdict.subject_digest = digest_of(digest);
  item.verdict.scanned_at = at;
  item.verdict.counts[1] = {high, 0};
  item.verdict.has_fix_information = true;
  item.verdict.list_complete = true;
  return item;
}

VerdictPointer find_in(const ReportIndex& index, const std::vector<std::string>& digests) {
  const std::vector<std::string_view> views(digests.begin(), digests.end());
  return index.find(views, kNow);
}

VerdictPointer best_of(const std::vector<ReportItem>& items) {
  ReportIndex index;
  for (const ReportItem& item : items) index.add(entry_of(item, "files"));
  return find_in(index, {digest_of('a')});
}

TEST(ReportIndex, AScanThenTheNewestThenTheWorse) {
  const auto hour = std::chrono::hours(1);
  ReportItem old = item_of('a', kNow - hour, 1);
  const ReportItem recent = item_of('a', kNow, 2);
  ReportItem pending = item_of('a', std::nullopt, 0);
  pending.verdict.state = ScanState::kPending;
  ReportItem failed = item_of('a', kNow, 0);
  failed.verdict.state = ScanState::kFailed;
  const ReportItem undated = item_of('a', std::nullopt, 3);
  const ReportItem undated_worse = item_of('a', std::nullopt, 4);
  struct Row {
    std::vector<ReportItem> items;
    ScanState state;
    std::uint64_t high;
  };
  const Row rows[] = {
      {{old, recent}, ScanState::kScanned, 2},
      {{old, pending}, ScanState::kScanned, 1},
      {{old, failed}, ScanState::kScanned, 1},
      {{recent, failed}, ScanState::kScanned, 2},
      {{pending, undated}, ScanState::kScanned, 3},
      {{undated, undated_worse}, ScanState::kScanned, 4},
      {{undated, old}, ScanState::kScanned, 1},
  };
  for (const Row& row : rows) {
    std::vector<ReportItem> reversed(row.items.rbegin(), row.items.rend());
    for (const auto& items : {row.items, reversed}) {
      const VerdictPointer best = best_of(items);
      ASSERT_NE(best, nullptr);
      EXPECT_EQ(best->state, row.state);
      EXPECT_EQ(best->count(Severity::kHigh).total, row.high);
    }
  }
}

TEST(ReportIndex, ExpiredItemsAreNotFoundAndHideNothing) {
  ReportItem expired = item_of('a', kNow, 9);
  expired.expires = kNow;
  ReportItem older = item_of('a', kNow - std::chrono::hours(1), 1);
  older.expires = kNow + std::chrono::seconds(1);
  EXPECT_EQ(best_of({expired}), nullptr);
  EXPECT_EQ(best_of({expired, older})->count(Severity::kHigh).total, 1U);
  ReportIndex index;
  index.add(entry_of(expired, "files"));
  EXPECT_FALSE(index.next_expiry(kNow).has_value());
  index.add(entry_of(older, "files"));
  EXPECT_EQ(index.next_expiry(kNow), older.expires);
  EXPECT_EQ(index.items(), 2U);
}

TEST(ReportIndex, APlatformWithoutAReportIsNotCoveredByAnother) {
  ReportIndex index;
  index.add(entry_of(item_of('a', kNow, 1), "files"));
  EXPECT_NE(find_in(index, {digest_of('a')}), nullptr);
  EXPECT_EQ(find_in(index, {digest_of('a'), digest_of('b')}), nullptr);
  EXPECT_EQ(find_in(index, {}), nullptr);
  EXPECT_EQ(find_in(index, {""}), nullptr);
}

TEST(ReportIndex, OfSeveralPlatformsTheWorst) {
  ReportItem first = item_of('a', kNow, 2);
  first.verdict.counts[0] = {1, 1};
  first.verdict.packages = 10;
  first.verdict.vulnerabilities = {{"A", {}, "p", "1", "", Severity::kHigh},
                                   {"B", {}, "p", "1", "", Severity::kHigh}};
  ReportItem second = item_of('b', kNow - std::chrono::hours(5), 1);
  second.verdict.counts[0] = {2, 0};
  second.verdict.packages = 12;
  second.verdict.secrets = 1;
  second.verdict.vulnerabilities = {{"B", {}, "p", "1", "", Severity::kHigh}};
  ReportIndex index;
  index.add(entry_of(first, "files"));
  index.add(entry_of(second, "files"));
  const VerdictPointer worst = find_in(index, {digest_of('a'), digest_of('b')});
  ASSERT_NE(worst, nullptr);
  EXPECT_EQ(counts_text(*worst), "2/1 2/0 0 0 0 0");
  EXPECT_EQ(worst->packages, 12U);
  EXPECT_EQ(worst->secrets, 1U);
  EXPECT_EQ(worst->scanned_at, kNow - std::chrono::hours(5));
  EXPECT_FALSE(worst->list_complete);
  ASSERT_EQ(worst->vulnerabilities.size(), 1U);
  EXPECT_EQ(worst->vulnerabilities.front().id, "B");
}

TEST(ReportIndex, APlatformThatIsNotScannedOrNotDatedTells) {
  const auto scanned = std::make_shared<policy::ScanVerdict>(item_of('a', kNow, 1).verdict);
  const auto pending = std::make_shared<policy::ScanVerdict>(item_of('b', kNow, 1).verdict);
  pending->state = ScanState::kPending;
  pending->scanned_at.reset();
  pending->has_fix_information = false;
  for (const auto& order : {std::vector<VerdictPointer>{scanned, pending}, {pending, scanned}}) {
    const VerdictPointer worst = worst_of(order);
    EXPECT_EQ(worst->state, ScanState::kPending);
    EXPECT_FALSE(worst->scanned_at.has_value());
    EXPECT_FALSE(worst->has_fix_information);
    EXPECT_FALSE(worst->count(Severity::kHigh).fixable.has_value());
  }
  EXPECT_EQ(worst_of({scanned, scanned}), scanned);
  EXPECT_EQ(worst_of({}), nullptr);
}

TEST(ReportIndex, ReferencesAreWeakAndDigestsAreNot) {
  ReportItem item = item_of('a', kNow, 1);
  item.references = {"docker.io/team/app:1"};
  item.config_digests = {digest_of('c')};
  ReportIndex index;
  index.add(entry_of(item, "files"));
  const VerdictPointer weak = index.find_reference("docker.io/team/app:1", kNow);
  ASSERT_NE(weak, nullptr);
  EXPECT_TRUE(weak->weak);
  EXPECT_EQ(weak->subject_digest, "");
  EXPECT_EQ(weak->source, "files");
  const VerdictPointer exact = find_in(index, {digest_of('c')});
  ASSERT_NE(exact, nullptr);
  EXPECT_FALSE(exact->weak);
  EXPECT_EQ(exact->subject_digest, digest_of('a'));
  EXPECT_EQ(index.find_reference("docker.io/team/app:2", kNow), nullptr);
}

}  // namespace
}  // namespace plimsoll::webhook::scan
