#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

using policy::ScanState;

std::string document(const std::string& members) {
  return R"({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "ImageVerdicts", "items": [{)" +
         members + "}]}";
}

TEST(NeutralReport, IsReadWhole) {
  const ReportItem item = read_one(R"({
    "apiVersion": "imageverdicts/v1", "generatedAt": "2026-08-20T06:00:00Z",
    "items": [{
      "image": "registry.corp/team/app", "digest": "DIGEST", "status": "scanned",
      "scannedAt": "2026-08-20T05:58:00Z", "scanner": {"name": "trivy", "version": "0.66"},
      "dbUpdatedAt": "2026-08-20T00:00:00Z",
      "counts": {"critical": {"total": 1, "fixable": 0}, "high": {"total": 2, "fixable": 2}},
      "packages": 214, "secrets": 0, "listComplete": true, "expiresAt": "2026-08-27T06:00:00Z"
    }]})");
  const policy::ScanVerdict& verdict = item.verdict;
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
  EXPECT_TRUE(item.references.empty());
  EXPECT_EQ(verdict.state, ScanState::kScanned);
  EXPECT_EQ(verdict.scanner, "trivy 0.66");
  EXPECT_EQ(policy::time_text(*verdict.scanned_at), "2026-08-20T05:58:00Z");
  EXPECT_EQ(policy::time_text(*item.expires), "2026-08-27T06:00:00Z");
  EXPECT_EQ(counts_text(verdict), "1/0 2/2 0/0 0/0 0/0 0/0");
  EXPECT_TRUE(verdict.has_fix_information);
  EXPECT_EQ(verdict.packages, 214U);
  EXPECT_EQ(verdict.secrets, 0U);
  EXPECT_FALSE(verdict.list_complete) << "three are counted and none is listed";
}

TEST(NeutralReport, StatesAreReadAndUnknownOnesHaveFailed) {
  const std::pair<const char*, ScanState> rows[] = {
      {"pending", ScanState::kPending},
      {"failed", ScanState::kFailed},
      {"unsupported", ScanState::kUnsupported},
      {"Scanned", ScanState::kFailed},
      {"clean", ScanState::kFailed},
      {"", ScanState::kFailed},
  };
  for (const auto& [word, state] : rows) {
    const std::string members = R"("digest": "DIGEST", "status": ")" + std::string(word) + '"';
    EXPECT_EQ(read_one(document(members)).verdict.state, state) << word;
  }
  EXPECT_EQ(read_one(document(R"("digest": "DIGEST")")).verdict.state, ScanState::kFailed);
}

TEST(NeutralReport, TheListIsWholeOnlyIfItHoldsAllThatIsCounted) {
  struct Row {
    const char* members;
    const char* counts;
    bool complete;
  };
  const Row rows[] = {
      {R"("counts": {})", "0/0 0/0 0/0 0/0 0/0 0/0", false},
      {R"("counts": {}, "listComplete": true)", "0/0 0/0 0/0 0/0 0/0 0/0", true},
      {R"("counts": {"high": {"total": 3}})", "0 3 0 0 0 0", false},
      {R"("vulnerabilities": [])", "0/0 0/0 0/0 0/0 0/0 0/0", true},
      {R"("vulnerabilities": [{"id": "A", "severity": "high", "fixed": "2"}])",
       "0/0 1/1 0/0 0/0 0/0 0/0",
       true},
      {R"("vulnerabilities": [{"id": "A", "severity": "high"}],
          "counts": {"high": {"total": 1, "fixable": 0}}, "listComplete": true)",
       "0/0 1/0 0/0 0/0 0/0 0/0",
       true},
      {R"("vulnerabilities": [{"id": "A", "severity": "high"}],
          "counts": {"high": {"total": 1, "fixable": 0}})",
       "0/0 1/0 0/0 0/0 0/0 0/0",
       false},
      {R"("vulnerabilities": [{"id": "A", "severity": "high"}],
          "counts": {"HIGH": {"total": 5, "fixable": 0}}, "listComplete": true)",
       "0/0 5/0 0/0 0/0 0/0 0/0",
       false},
      {R"("vulnerabilities": [{"id": "A", "severity": "critical", "fixed": "2"}],
          "counts": {"critical": {"total": 0, "fixable": 0}}, "listComplete": true)",
       "1/1 0/0 0/0 0/0 0/0 0/0",
       true},
      {R"("counts": {"sum": 7, "low": {"total": 1, "fixable": 1}})",
       "0/0 0/0 0/0 1/1 0/0 0/0",
       false},
  };
  for (const Row& row : rows) {
    const ReportItem item = read_one(
        document(R"("digest": "DIGEST", "status": "scanned", )" + std::string(row.members)));
    EXPECT_EQ(counts_text(item.verdict), row.counts) << row.members;
    EXPECT_EQ(item.verdict.list_complete, row.complete) << row.members;
  }
}

TEST(NeutralReport, ReferencesOnlyWhereAMatchByTagIsAllowed) {
  const char* rest = R"("image": "team/app:1", "status": "pending")";
  const ReportItem weak = read_one(document(R"("allowTagMatch": true, )" + std::string(rest)));
  EXPECT_EQ(weak.references, std::vector<std::string>{"docker.io/team/app:1"});
  EXPECT_TRUE(weak.digests.empty());
  EXPECT_EQ(weak.verdict.subject_digest, "");
  EXPECT_FALSE(read_text(document(rest)).has_value());
}

TEST(NeutralReport, ListsVulnerabilitiesOnce) {
  const ReportItem item = read_one(document(R"("digest": "DIGEST", "status": "scanned",
      "vulnerabilities": [
        {"id": "B", "package": "p", "installed": "1", "severity": "low"},
        {"id": "A", "aliases": ["C", 7, "A"], "package": "p", "installed": "1", "fixed": "2",
         "severity": "important"},
        {"id": "B", "package": "p", "installed": "1", "severity": "low"}])"));
  ASSERT_EQ(item.verdict.vulnerabilities.size(), 2U);
  EXPECT_EQ(item.verdict.vulnerabilities[0].id, "A");
  EXPECT_EQ(item.verdict.vulnerabilities[0].aliases, std::vector<std::string>{"C"});
  EXPECT_EQ(counts_text(item.verdict), "0/0 1/1 0/0 1/0 0/0 0/0");
}

}  // namespace
}  // namespace plimsoll::webhook::scan
