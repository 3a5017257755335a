#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

std::string trivy_with(const std::string& vulnerabilities) {
  return R"({"SchemaVersion": 2, "ArtifactName": "a@DIGEST", "Results": [{"Vulnerabilities": [)" +
         vulnerabilities + "]}]}";
}

TEST(ReportLimits, TheWorstFiveThousandAreKeptAndAllAreCounted) {
  std::string list;
  for (int i = 0; i < 5'100; ++i) {
    list += (i == 0 ? "" : ",") + std::string(R"({"VulnerabilityID": "CVE-)") + std::to_string(i) +
            R"(", "Severity": ")" + (i < 5'090 ? "LOW" : "HIGH") + "\"}";
  }
  const policy::ScanVerdict verdict = read_one(trivy_with(list)).verdict;
  EXPECT_EQ(verdict.vulnerabilities.size(), policy::kMaxVulnerabilities);
  EXPECT_EQ(verdict.vulnerabilities.front().severity, policy::Severity::kHigh);
  EXPECT_EQ(counts_text(verdict), "0/0 10/0 0/0 5090/0 0/0 0/0");
  EXPECT_FALSE(verdict.list_complete);
}

TEST(ReportLimits, TextsAreCutBetweenCharacters) {
  const std::string name = "x" + replaced(std::string(400, '.'), ".", "\u00e4");
  const policy::ScanVerdict verdict =
      read_one(trivy_with(R"({"VulnerabilityID": "A", "PkgName": ")" + name + "\"}")).verdict;
  ASSERT_EQ(verdict.vulnerabilities.size(), 1U);
  EXPECT_EQ(verdict.vulnerabilities.front().package, name.substr(0, 511));
}

TEST(ReportLimits, SizeAndDepth) {
  const auto large = read_report(std::string(kMaxReportBytes + 1, ' '), {"", kNow});
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error(), "it is larger than 16 MiB");
  const std::string deep =
      R"({"SchemaVersion": 2, "x": )" + std::string(100, '[') + std::string(100, ']') + "}";
  ASSERT_FALSE(read_text(deep).has_value());
  EXPECT_EQ(read_text(deep).error(), "it is nested deeper than 64 levels");
}

TEST(ReportLimits, AliasesAreCapped) {
  std::string ids = "\"V0\"";
  for (int i = 1; i < 40; ++i) ids += ", \"V" + std::to_string(i) + '"';
  const policy::ScanVerdict verdict =
      read_one(trivy_with(R"({"VulnerabilityID": "A", "VendorIDs": [)" + ids + "]}")).verdict;
  ASSERT_EQ(verdict.vulnerabilities.size(), 1U);
  EXPECT_EQ(verdict.vulnerabilities.front().aliases.size(), 16U);
}

TEST(ReportLimits, AByteOrderMarkIsPassedOver) {
  EXPECT_TRUE(read_text("\xEF\xBB\xBF" + trivy_with("")).has_value());
}

TEST(ReportLimits, DigestsInFileNames) {
  const std::string hex(64, 'a');
  const std::string digest = "sha256:" + hex;
  const std::pair<std::string, std::string> rows[] = {
      {"sha256-" + hex + ".json", digest},
      {"sha256:" + hex + ".json", digest},
      {hex + ".json", digest},
      {hex + ".sarif", digest},
      {"app.json", ""},
      {"sha256-" + hex.substr(1) + ".json", ""},
      {"sha256-" + std::string(64, 'A') + ".json", ""},
      {"sha256-sha256:" + hex + ".json", ""},
      {".json", ""},
      {"", ""},
  };
  for (const auto& [name, expected] : rows) EXPECT_EQ(digest_of_file_name(name), expected) << name;
}

}  // namespace
}  // namespace plimsoll::webhook::scan
