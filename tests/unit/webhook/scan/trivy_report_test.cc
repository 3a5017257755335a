#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr const char* kReport = R"json({
  "SchemaVersion": 2,
  "Trivy": {"Version": "0.66.0"},
  "CreatedAt": "2026-08-20T05:58:00.123456789+02:00",
  "ArtifactName": "registry.corp/team/app:1.4",
  "ArtifactType": "container_image",
  "Metadata": {
    "OS": {"Family": "debian", "Name": "12.6"},
    "ImageID": "CONFIG",
    "DiffIDs": ["OTHER"],
    "RepoTags": ["registry.corp/team/app:1.4"],
    "RepoDigests": ["registry.corp/team/app@DIGEST"]
  },
  "Results": [
    {
      "Target": "registry.corp/team/app:1.4 (debian 12.6)", "Class": "os-pkgs", "Type": "debian",
      "Packages": [{"Name": "libssl3"}, {"Name": "zlib1g"}],
      "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2023-45853", "PkgName": "zlib1g", "InstalledVersion": "1:1.2.13",
         "Status": "will_not_fix", "Severity": "CRITICAL"},
        {"VulnerabilityID": "CVE-2024-0727", "VendorIDs": ["DSA-5612-1"], "PkgName": "libssl3",
         "InstalledVersion": "3.0.11-1", "FixedVersion": "3.0.13-1", "Status": "fixed",
         "Severity": "MEDIUM"},
        {"VulnerabilityID": "CVE-2024-0727", "PkgName": "libssl3",
         "InstalledVersion": "3.0.11-1", "FixedVersion": "3.0.13-1", "Severity": "MEDIUM"},
        {"VulnerabilityID": "CVE-2024-0727", "PkgName": "openssl",
         "InstalledVersion": "3.0.11-1", "FixedVersion": "3.0.13-1", "Severity": "MEDIUM"}
      ]
    },
    {"Target": "app/package-lock.json", "Class": "lang-pkgs", "Type": "npm",
     "Packages": [{"Name": "left-pad"}], "Vulnerabilities": null},
    {"Target": "/etc/key.pem", "Class": "secret",
     "Secrets": [{"RuleID": "private-key", "Severity": "HIGH"}]}
  ]
})json";

TEST(TrivyReport, IsReadWhole) {
  const ReportItem item = read_one(kReport);
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
  EXPECT_EQ(item.config_digests, std::vector<std::string>{digest_of('c')});
  EXPECT_TRUE(item.references.empty());
  const policy::ScanVerdict& verdict = item.verdict;
  EXPECT_EQ(verdict.state, policy::ScanState::kScanned);
  EXPECT_EQ(verdict.scanner, "Trivy 0.66.0");
  EXPECT_EQ(verdict.subject_digest, digest_of('a'));
  EXPECT_EQ(policy::time_text(*verdict.scanned_at), "2026-08-20T03:58:00Z");
  EXPECT_EQ(counts_text(verdict), "1/0 0/0 2/2 0/0 0/0 0/0");
  EXPECT_TRUE(verdict.has_fix_information);
  EXPECT_TRUE(verdict.list_complete);
  EXPECT_EQ(verdict.packages, 3U);
  EXPECT_EQ(verdict.secrets, 1U);
  ASSERT_EQ(verdict.vulnerabilities.size(), 3U);
  EXPECT_EQ(verdict.vulnerabilities[0].id, "CVE-2023-45853");
  EXPECT_EQ(verdict.vulnerabilities[1].package, "libssl3");
  EXPECT_EQ(verdict.vulnerabilities[1].fixed, "3.0.13-1");
  EXPECT_EQ(verdict.vulnerabilities[1].aliases, std::vector<std::string>{"DSA-5612-1"});
}

TEST(TrivyReport, NothingFoundIsClean) {
  for (const char* results : {"",
                              R"(, "Results": null)",
                              R"(, "Results": [])",
                              R"(, "Results": [{"Target": "app", "Class": "os-pkgs"}])"}) {
    const ReportItem item = read_one(R"({"SchemaVersion": 2, "ArtifactName": "app@DIGEST")" +
                                     std::string(results) + "}");
    EXPECT_EQ(counts_text(item.verdict), "0/0 0/0 0/0 0/0 0/0 0/0") << results;
    EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
    EXPECT_FALSE(item.verdict.scanned_at.has_value());
    EXPECT_FALSE(item.verdict.packages.has_value());
    EXPECT_FALSE(item.verdict.secrets.has_value());
    EXPECT_EQ(item.verdict.scanner, "Trivy");
  }
}

TEST(TrivyReport, ImageIdIsNoOtherOpinionThanTheFileName) {
  const char* local = R"({"SchemaVersion": 2, "Metadata": {"ImageID": "CONFIG"}})";
  const ReportItem item = read_one(local, digest_of('b'));
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('b')});
  EXPECT_EQ(item.config_digests, std::vector<std::string>{digest_of('c')});
  EXPECT_EQ(item.verdict.subject_digest, digest_of('b'));
  EXPECT_EQ(read_one(local).verdict.subject_digest, digest_of('c'));
}

TEST(TrivyReport, TheLastOfRepeatedKeysCounts) {
  const ReportItem item = read_one(R"({"SchemaVersion": 2, "ArtifactName": "a@DIGEST",
      "Results": [],
      "Results": [{"Vulnerabilities": [{"VulnerabilityID": "A", "Severity": "LOW",
                                        "Severity": "HIGH"}]}]})");
  EXPECT_EQ(counts_text(item.verdict), "0/0 1/0 0/0 0/0 0/0 0/0");
}

}  // namespace
}  // namespace plimsoll::webhook::scan
