#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr const char* kTrivy = R"json({
  "version": "2.1.0",
  "runs": [{
    "tool": {"driver": {"name": "Trivy", "version": "0.66.0", "rules": [
      {"id": "CVE-2023-45853", "name": "OsPackageVulnerability",
       "help": {"text": "Vulnerability CVE-2023-45853\nSeverity: CRITICAL\nPackage: zlib1g\n"},
       "properties": {"precision": "very-high", "security-severity": "9.8",
                      "tags": ["vulnerability", "security", "CRITICAL"]}},
      {"id": "private-key", "name": "Secret",
       "properties": {"security-severity": "8.0", "tags": ["secret", "security", "HIGH"]}},
      {"id": "DS002", "name": "Misconfiguration",
       "properties": {"security-severity": "8.0", "tags": ["misconfiguration", "security"]}}
    ]}},
    "results": [
      {"ruleId": "CVE-2023-45853", "ruleIndex": 0, "level": "error", "message": {"text":
        "Package: zlib1g\nInstalled Version: 1:1.2.13\nVulnerability CVE-2023-45853\nSeverity: CRITICAL\nFixed Version: \nLink: [x](y)"
}
},
      {"ruleId": "CVE-2023-45853", "ruleIndex": 0, "level": "error", "message": {"text":
        "Package: zlib1g\nInstalled Version: 1:1.2.13\nVulnerability CVE-2023-45853\nSeverity: CRITICAL\nFixed Version: \nLink: [x](y)"}},
      {"ruleIndex": 0, "message": {"text":
        "Package: zlib1g-dev\nInstalled Version: 1:1.2.13\nSeverity: CRITICAL"}},
      {"ruleId": "private-key", "message": {"text": "Artifact: /k\nSecret key\nSeverity: HIGH"}},
      {"ruleId": "DS002", "message": {"text": "Artifact: Dockerfile"}}
    ],
    "columnKind": "utf16CodeUnits",
    "properties": {
  "imageName" : "registry.corp/team/app:1.4",
                "imageID" : "CONFIG",
                            "repoDigests" : ["registry.corp/team/app@DIGEST"],
                                            "repoTags" : ["registry.corp/team/app:1.4"]
}
}]
})json";

TEST(SarifReport, OfTrivy) {
  const ReportItem item = read_one(kTrivy);
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
  EXPECT_EQ(item.config_digests, std::vector<std::string>{digest_of('c')});
  const policy::ScanVerdict& verdict = item.verdict;
  EXPECT_EQ(verdict.scanner, "Trivy 0.66.0");
  EXPECT_FALSE(verdict.scanned_at.has_value());
  EXPECT_EQ(counts_text(verdict), "2 0 0 0 0 0");
  EXPECT_FALSE(verdict.has_fix_information);
  EXPECT_TRUE(verdict.list_complete);
  EXPECT_EQ(verdict.secrets, 1U);
  ASSERT_EQ(verdict.vulnerabilities.size(), 2U);
  EXPECT_EQ(verdict.vulnerabilities[0].package, "zlib1g");
  EXPECT_EQ(verdict.vulnerabilities[0].installed, "1:1.2.13");
  EXPECT_EQ(verdict.vulnerabilities[1].package, "zlib1g-dev");
}

constexpr const char* kGrype = R"json({
  "version": "2.1.0",
  "runs": [{
    "tool": {"driver": {"name": "grype", "version": "0.99.1", "rules": [
      {"id": "CVE-2024-0727-libcrypto3",
       "help": {"text": "Vulnerability CVE-2024-0727\nSeverity: medium\nPackage: libcrypto3\nVersion: 3.1.4-r1\nFix Version: 3.1.4-r5\nType: apk\nLocation: /lib/apk/db/installed\nLink: x"},
       "properties": {"security-severity": "5.5"}}
    ]}},
    "results": [{
      "ruleId": "CVE-2024-0727-libcrypto3",
      "message": {"text": "The path /lib/apk/db/installed reports libcrypto3 at version 3.1.4-r1"},
      "locations": [{"logicalLocations": [{
        "name": "/lib/apk/db/installed",
        "fullyQualifiedName": "alpine@DIGEST@OTHER:/lib/apk/db/installed"}]}]
    }]
  }]
})json";

TEST(SarifReport, OfGrypeWithTheImagesDigestNotTheLayers) {
  const ReportItem item = read_one(kGrype);
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
  EXPECT_EQ(counts_text(item.verdict), "0 0 1 0 0 0");
  ASSERT_EQ(item.verdict.vulnerabilities.size(), 1U);
  const policy::Vulnerability& found = item.verdict.vulnerabilities.front();
  EXPECT_EQ(found.id, "CVE-2024-0727");
  EXPECT_EQ(found.package, "libcrypto3");
  EXPECT_EQ(found.installed, "3.1.4-r1");
}

TEST(SarifReport, LayersDigestAloneIsNoDigest) {
  const std::string tagged = replaced(kGrype, "alpine@DIGEST@OTHER", "alpine@OTHER");
  EXPECT_FALSE(read_text(tagged).has_value());
  EXPECT_TRUE(read_text(tagged, digest_of('b')).has_value());
}

std::string run_with(const std::string& rule, const std::string& rest) {
  return R"({"runs": [{"tool": {"driver": {"rules": [{"id": "A")" + rule +
         R"(}]}}, "results": [{"ruleId": "A", "message": {"text": "x"}}])" + rest + "}]}";
}

TEST(SarifReport, SeverityByNumberThenTagsThenText) {
  struct Row {
    const char* rule;
    const char* counts;
  };
  const Row rows[] = {
      {R"(, "properties": {"security-severity": "9.0", "tags": ["LOW"]})", "1 0 0 0 0 0"},
      {R"(, "properties": {"security-severity": 7.5})", "0 1 0 0 0 0"},
      {R"(, "properties": {"security-severity": "0.1"})", "0 0 0 1 0 0"},
      {R"(, "properties": {"security-severity": "0.0", "tags": ["HIGH"]})", "0 1 0 0 0 0"},
      {R"(, "properties": {"security-severity": "bad", "tags": ["x", "MEDIUM"]})", "0 0 1 0 0 0"},
      {R"(, "help": {"text": "Vulnerability A\nSeverity: negligible\n"})", "0 0 0 0 1 0"},
      {R"(, "help": {"text": "no such line"})", "0 0 0 0 0 1"},
  };
  for (const Row& row : rows) {
    const ReportItem item = read_one(run_with(row.rule, ""), digest_of('a'));
    EXPECT_EQ(counts_text(item.verdict), row.counts) << row.rule;
  }
}

TEST(SarifReport, AllRunsCountAndTheOldestTime) {
  const ReportItem item = read_one(R"({"runs": [
      {"results": [{"ruleId": "A", "message": {"text": "Severity: HIGH\nPackage: a"}}],
       "invocations": [{"executionSuccessful": true, "endTimeUtc": "2026-08-20T05:00:00Z"}]},
      {"results": [{"ruleId": "B", "message": {"text": "Severity: HIGH\nPackage: b"}},
                   {"ruleId": "C", "kind": "pass", "message": {"text": "Severity: HIGH"}}],
       "invocations": [{"executionSuccessful": true, "startTimeUtc": "2026-08-19T05:00:00Z"}]}
    ]})",
                                   digest_of('a'));
  EXPECT_EQ(counts_text(item.verdict), "0 2 0 0 0 0");
  EXPECT_EQ(policy::time_text(*item.verdict.scanned_at), "2026-08-19T05:00:00Z");
}

TEST(SarifReport, AScanThatFailedIsNotClean) {
  const ReportItem item = read_one(
      run_with("", R"(, "invocations": [{"executionSuccessful": false}])"), digest_of('a'));
  EXPECT_EQ(item.verdict.state, policy::ScanState::kFailed);
}

}  // namespace
}  // namespace plimsoll::webhook::scan
