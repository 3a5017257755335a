// image-scan and image-packages: what a report says, and what it is worth.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::facts_of;
using tests::Image;
using tests::kNow;
using tests::Pod;
using namespace std::chrono_literals;

constexpr const char* kImage = "container \"c0\" image registry.test/i0:1 ";

Vulnerability vulnerability(std::string id, Severity severity, std::string fixed = "") {
  return {std::move(id), {}, "openssl", "3.0.1", std::move(fixed), severity};
}

// Three critical ones, two of them fixable; one high.
ScanVerdict verdict() {
  ScanVerdict made;
  made.scanner = "Trivy 0.58.1";
  made.scanned_at = kNow - 72h;
  made.counts[0] = {3, 2};
  made.counts[1] = {1, 0};
  made.counts[2].fixable = made.counts[3].fixable = 0;
  made.has_fix_information = true;
  made.list_complete = true;
  made.vulnerabilities = {vulnerability("CVE-2026-1", Severity::kCritical, "3.0.2"),
                          vulnerability("CVE-2026-2", Severity::kCritical, "3.0.3"),
                          vulnerability("CVE-2026-3", Severity::kCritical),
                          vulnerability("CVE-2026-4", Severity::kHigh)};
  made.vulnerabilities[1].aliases = {"GHSA-aaaa-bbbb-cccc"};
  return made;
}

Pod scanned(ScanVerdict made) {
  ImageFacts facts = facts_of(Image());
  facts.scan = std::make_shared<const ScanVerdict>(std::move(made));
  return Pod(std::vector{std::move(facts)});
}

TEST(ImageScan, SaysWhatTheReportSays) {
  EXPECT_EQ(scanned(verdict()).said("image-scan"),
            std::string(kImage) +
                "has 3 critical vulnerabilities (2 fixable), limit 0 (Trivy 0.58.1, 2026-11-20)\n"
                "CVE-2026-1 openssl 3.0.1 -> 3.0.2\n"
                "CVE-2026-2 openssl 3.0.1 -> 3.0.3\n"
                "CVE-2026-3 openssl 3.0.1\n");
  const auto findings = scanned(verdict()).judge("image-scan");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].found, "3 critical vulnerabilities (2 fixable)");
  EXPECT_EQ(findings[0].limit, "0 critical");
}

TEST(ImageScan, CeilingsAreExact) {
  const struct {
    const char* parameters;
    const char* found;  // "": nothing is found
  } rows[] = {
      {R"("critical":3)", ""},
      {R"("critical":2)", "has 3 critical vulnerabilities (2 fixable), limit 2 ("},
      {R"("critical":null)", ""},
      {R"("critical":null,"high":0)", "has 1 high vulnerability (0 fixable), limit 0 ("},
      {R"("critical":0,"high":0)",
       "has 3 critical vulnerabilities (2 fixable), limit 0, and 1 high vulnerability (0 fixable), "
       "limit 0 ("},
      {R"("fixableOnly":true)", "has 2 fixable critical vulnerabilities, limit 0 ("},
      {R"("fixableOnly":true,"critical":2,"high":0)", ""},
      {R"("critical":null,"medium":0,"low":0)", ""},
  };
  for (const auto& row : rows) {
    const std::string said = scanned(verdict()).said("image-scan", row.parameters);
    EXPECT_EQ(said.empty(), std::string(row.found).empty()) << row.parameters << said;
    EXPECT_NE(said.find(row.found), std::string::npos) << row.parameters << said;
  }
}

TEST(ImageScan, ListsOnlyWhatIsAboveItsCeilingAndFiveAtMost) {
  const std::string high = scanned(verdict()).said("image-scan", R"("critical":null,"high":0)");
  EXPECT_EQ(high.find("CVE-2026-1"), std::string::npos);
  EXPECT_NE(high.find("CVE-2026-4 openssl 3.0.1\n"), std::string::npos);
  const std::string fixable = scanned(verdict()).said("image-scan", R"("fixableOnly":true)");
  EXPECT_EQ(fixable.find("CVE-2026-3"), std::string::npos);
  ScanVerdict many = verdict();
  many.counts[0] = {5000, 0};
  many.vulnerabilities.assign(5000, vulnerability("CVE-2026-1\n\x1b[2J", Severity::kCritical));
  const std::string said = scanned(many).said("image-scan");
  EXPECT_EQ(std::ranges::count(said, '\n'), 6);
  EXPECT_EQ(said.find('\x1b'), std::string::npos);
}

std::string ignoring(const std::string& id, const std::string& expires) {
  return R"("ignore":[{"id":")" + id + R"(","reason":"r","expires":")" + expires + "\"}]";
}

TEST(ImageScan, IgnoresByIdAndAliasUntilADay) {
  const struct {
    std::string parameters;
    const char* count;
  } rows[] = {
      {ignoring("CVE-2026-1", "2027-01-31"), "2 critical vulnerabilities (1 fixable)"},
      {ignoring("cve-2026-1", "2026-11-23"), "2 critical vulnerabilities (1 fixable)"},
      {ignoring("ghsa-AAAA-bbbb-cccc", "2027-01-31"), "2 critical vulnerabilities (1 fixable)"},
      {ignoring("CVE-2026-3", "2027-01-31"), "2 critical vulnerabilities (2 fixable)"},
      {ignoring("CVE-2026-9", "2027-01-31"), "3 critical vulnerabilities (2 fixable)"},
      {ignoring("CVE-2026", "2027-01-31"), "3 critical vulnerabilities (2 fixable)"},
      {ignoring("CVE-2026-4", "2027-01-31"), "3 critical vulnerabilities (2 fixable)"},
  };
  for (const auto& row : rows) {
    const std::string said = scanned(verdict()).said("image-scan", row.parameters);
    EXPECT_NE(said.find(row.count), std::string::npos) << row.parameters << said;
  }
}

TEST(ImageScan, OneThatIsIgnoredTwiceIsTakenOffOnce) {
  const std::string both =
      R"("ignore":[{"id":"CVE-2026-2","reason":"r","expires":"2027-01-31"},
                   {"id":"GHSA-aaaa-bbbb-cccc","reason":"r","expires":"2027-01-31"}])";
  const std::string said = scanned(verdict()).said("image-scan", both);
  EXPECT_NE(said.find("2 critical vulnerabilities (1 fixable)"), std::string::npos) << said;
  EXPECT_NE(said.find("\n1 more is ignored by the policy\n"), std::string::npos) << said;
  EXPECT_EQ(said.find("CVE-2026-2"), std::string::npos) << said;
}

TEST(ImageScan, AnExpiredIgnoreIsSaid) {
  const std::string said =
      scanned(verdict()).said("image-scan", ignoring("CVE-2026-1", "2026-11-22"));
  EXPECT_NE(said.find("3 critical"), std::string::npos);
  EXPECT_NE(said.find("\nCVE-2026-1 was ignored until 2026-11-22 and is no longer\n"),
            std::string::npos)
      << said;
}

TEST(ImageScan, AShortListIsSaid) {
  ScanVerdict made = verdict();
  made.list_complete = false;
  made.vulnerabilities.clear();
  const std::string said = scanned(made).said("image-scan", ignoring("CVE-2026-1", "2027-01-31"));
  EXPECT_NE(said.find("3 critical"), std::string::npos);
  EXPECT_NE(said.find("ignored ids that it does not list cannot be taken off"), std::string::npos);
  EXPECT_EQ(scanned(made).said("image-scan").find("ignored"), std::string::npos);
}

TEST(ImageScan, AWeakMatchIsSaid) {
  ScanVerdict made = verdict();
  made.weak = true;
  EXPECT_NE(scanned(made).said("image-scan").find("\nthe report is about the tag"),
            std::string::npos);
}

std::string unknown_of(const Pod& pod, const std::string& parameters, bool grace = false) {
  const auto findings = pod.judge("image-scan", parameters);
  if (findings.size() != 1 || !findings[0].unknown) return "nothing unknown";
  EXPECT_EQ(findings[0].in_grace, grace);
  return std::string(reason_word(findings[0].unknown->reason)) + ": " + findings[0].unknown->detail;
}

TEST(ImageScan, OldReportsAreAsGoodAsNone) {
  ScanVerdict made = verdict();
  made.scanned_at = kNow - 168h;
  EXPECT_EQ(unknown_of(scanned(made), ""), "nothing unknown");
  made.scanned_at = kNow - 168h - 1s;
  EXPECT_EQ(unknown_of(scanned(made), ""),
            "report-stale: scanned 2026-11-16, 604801 seconds ago, limit 7 days");
  made.scanned_at = kNow - 22 * 24h;
  EXPECT_EQ(unknown_of(scanned(made), ""),
            "report-stale: scanned 2026-11-01, 22 days ago, limit 7 days");
  EXPECT_EQ(unknown_of(scanned(made), R"("maximumAge":"36h")"),
            "report-stale: scanned 2026-11-01, 22 days ago, limit 36 hours");
  EXPECT_EQ(unknown_of(scanned(made), R"("maximumAge":null)"), "nothing unknown");
  made.scanned_at = std::nullopt;
  EXPECT_EQ(unknown_of(scanned(made), ""), "report-stale: it does not say when it was made");
  EXPECT_EQ(unknown_of(scanned(made), R"("maximumAge":null)"), "nothing unknown");
  made.scanned_at = kNow + 1h;  // another clock
  EXPECT_EQ(unknown_of(scanned(made), ""), "nothing unknown");
}

TEST(ImageScan, StatesAreReasons) {
  ScanVerdict made;
  made.state = ScanState::kPending;
  EXPECT_EQ(unknown_of(scanned(made), ""), "report-pending: ");
  made.state = ScanState::kFailed;
  EXPECT_EQ(unknown_of(scanned(made), ""), "report-failed: ");
  made.state = ScanState::kUnsupported;
  EXPECT_EQ(unknown_of(scanned(made), ""), "report-unsupported: ");
}

TEST(ImageScan, WithoutFixesFixableOnlyCannotBeJudged) {
  ScanVerdict made = verdict();
  made.has_fix_information = false;
  made.counts[0].fixable = std::nullopt;
  EXPECT_EQ(unknown_of(scanned(made), R"("fixableOnly":true)"), "no-fix-information: ");
  EXPECT_NE(scanned(made).said("image-scan").find("has 3 critical vulnerabilities, limit 0 ("),
            std::string::npos);
  made.has_fix_information = true;
  EXPECT_EQ(unknown_of(scanned(made), R"("fixableOnly":true)"), "no-fix-information: ");
}

TEST(ImageScan, GraceIsForNewImagesWithoutAReport) {
  const auto pod = [](std::chrono::seconds seen_for, UnknownReason reason) {
    ImageFacts facts = facts_of(Image());
    facts.resolution->first_seen = kNow - seen_for;
    facts.scan = std::unexpected(Unknown{reason, ""});
    return Pod(std::vector{std::move(facts)});
  };
  EXPECT_EQ(unknown_of(pod(29min, UnknownReason::kNoReport), "", true), "no-report: ");
  EXPECT_EQ(unknown_of(pod(30min, UnknownReason::kNoReport), "", false), "no-report: ");
  EXPECT_EQ(unknown_of(pod(1h, UnknownReason::kNoReport), R"("graceFor":"2h")", true),
            "no-report: ");
  EXPECT_EQ(unknown_of(pod(0s, UnknownReason::kNoReport), R"("graceFor":null)", false),
            "no-report: ");
  EXPECT_EQ(unknown_of(pod(0s, UnknownReason::kTimeout), "", false), "timeout: ");
  ImageFacts facts = facts_of(Image());
  facts.resolution->first_seen = kNow;
  ScanVerdict pending;
  pending.state = ScanState::kPending;
  facts.scan = std::make_shared<const ScanVerdict>(pending);
  EXPECT_EQ(unknown_of(Pod(std::vector{facts}), "", true), "report-pending: ");
  facts.scan = std::make_shared<const ScanVerdict>(verdict());
  EXPECT_EQ(Pod(std::vector{facts}).judge("image-scan").size(), 1U);  // no grace for what is found
  EXPECT_FALSE(Pod(std::vector{facts}).judge("image-scan")[0].in_grace);
}

TEST(ImagePackages, AreCounted) {
  ScanVerdict made = verdict();
  made.packages = 400;
  EXPECT_EQ(scanned(made).said("image-packages"), "");
  made.packages = 401;
  EXPECT_EQ(scanned(made).said("image-packages"),
            std::string(kImage) + "has 401 packages, limit 400\n");
  EXPECT_EQ(scanned(made).said("image-packages", R"("maximum":null)"), "");
  made.packages = std::nullopt;
  const auto findings = scanned(made).judge("image-packages");
  ASSERT_EQ(findings.size(), 1U);
  ASSERT_TRUE(findings[0].unknown);
  EXPECT_EQ(findings[0].unknown->reason, UnknownReason::kNoReport);
  EXPECT_EQ(findings[0].unknown->detail, "the report does not count packages");
  made.state = ScanState::kPending;
  EXPECT_EQ(scanned(made).judge("image-packages")[0].unknown->reason,
            UnknownReason::kReportPending);
}

}  // namespace
}  // namespace plimsoll::policy
