#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr const char* kReport = R"({
  "matches": [
    {
      "vulnerability": {
        "id": "GHSA-jfh8-c2jp-5v3q", "dataSource": "https://github.com/advisories/x",
        "namespace": "github:language:java", "severity": "Critical",
        "fix": {"versions": ["2.15.0", "2.3.1"], "state": "fixed"}
      },
      "relatedVulnerabilities": [
        {"id": "CVE-2021-44228", "severity": "Critical"}, {"id": "GHSA-jfh8-c2jp-5v3q"}
      ],
      "matchDetails": [{"type": "exact-direct-match"}],
      "artifact": {"name": "log4j-core", "version": "2.14.1", "type": "java-archive"}
    },
    {
      "vulnerability": {"id": "CVE-2005-2541", "severity": "Negligible",
                        "fix": {"versions": [], "state": "wont-fix"}},
      "relatedVulnerabilities": [],
      "artifact": {"name": "tar", "version": "1.34", "type": "deb"}
    },
    {
      "vulnerability": {"id": "CVE-2026-1", "severity": "High",
                        "fix": {"versions": [], "state": "fixed"}},
      "artifact": {"name": "curl", "version": "8.0", "type": "deb"}
    }
  ],
  "source": {
    "type": "image",
    "target": {
      "userInput": "registry.corp/team/app:1.4", "imageID": "CONFIG", "manifestDigest": "DIGEST",
      "tags": [], "repoDigests": ["registry.corp/team/app@OTHER"], "architecture": "amd64"
    }
  },
  "distro": {"name": "debian", "version": "12", "idLike": []},
  "descriptor": {"name": "grype", "version": "0.99.1",
                 "db": {"built": "2026-08-19T01:30:00Z"},
                 "timestamp": "2026-08-20T06:00:00.5Z"}
})";

TEST(GrypeReport, IsReadWhole) {
  const ReportItem item = read_one(kReport);
  EXPECT_EQ(item.digests, (std::vector<std::string>{digest_of('d'), digest_of('a')}));
  EXPECT_EQ(item.config_digests, std::vector<std::string>{digest_of('c')});
  const policy::ScanVerdict& verdict = item.verdict;
  EXPECT_EQ(verdict.scanner, "Grype 0.99.1");
  EXPECT_EQ(policy::time_text(*verdict.scanned_at), "2026-08-20T06:00:00Z");
  EXPECT_EQ(counts_text(verdict), "1/1 1/1 0/0 0/0 1/0 0/0");
  EXPECT_TRUE(verdict.has_fix_information);
  EXPECT_TRUE(verdict.list_complete);
  ASSERT_EQ(verdict.vulnerabilities.size(), 3U);
  const policy::Vulnerability& worst = verdict.vulnerabilities.front();
  EXPECT_EQ(worst.id, "GHSA-jfh8-c2jp-5v3q");
  EXPECT_EQ(worst.aliases, std::vector<std::string>{"CVE-2021-44228"});
  EXPECT_EQ(worst.package, "log4j-core");
  EXPECT_EQ(worst.installed, "2.14.1");
  EXPECT_EQ(worst.fixed, "2.15.0");
  EXPECT_EQ(verdict.vulnerabilities[1].fixed, "a later version");
}

TEST(GrypeReport, NoMatchesAreClean) {
  const ReportItem item =
      read_one(R"({"matches": [], "descriptor": {"name": "grype"}})", digest_of('b'));
  EXPECT_EQ(counts_text(item.verdict), "0/0 0/0 0/0 0/0 0/0 0/0");
  EXPECT_EQ(item.verdict.scanner, "Grype");
}

TEST(GrypeReport, DigestOfTheUsersInput) {
  const ReportItem item =
      read_one(R"({"matches": [], "source": {"target": {"userInput": "app:1@DIGEST"}}})");
  EXPECT_EQ(item.digests, std::vector<std::string>{digest_of('a')});
}

}  // namespace
}  // namespace plimsoll::webhook::scan
