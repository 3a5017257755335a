#include <utility>

#include "webhook/scan/report_json.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr std::uint64_t kKnownSchema = 2;

policy::Vulnerability read_vulnerability(const json::Object& entry) {
  policy::Vulnerability found;
  found.id = text_in(entry, "VulnerabilityID");
  found.package = text_in(entry, "PkgName");
  found.installed = text_in(entry, "InstalledVersion");
  found.fixed = text_in(entry, "FixedVersion");
  found.severity = policy::severity_of(text_in(entry, "Severity"));
  for (const std::string_view id : texts_in(entry, "VendorIDs")) add_alias(found, id);
  return found;
}

// Without findings, Trivy leaves the lists out, or writes null.
std::string read_result(const json::Object& result, Tally& tally, policy::ScanVerdict& verdict) {
  const auto vulnerabilities = objects_in(result, "Vulnerabilities");
  if (!vulnerabilities) return vulnerabilities.error();
  for (const json::Object& entry : *vulnerabilities) tally.add(read_vulnerability(entry));
  if (const auto list = array_in(result, "Packages")) {
    verdict.packages = verdict.packages.value_or(0) + list->size();
  }
  const auto secrets = objects_in(result, "Secrets");
  if (!secrets) return secrets.error();
  if (!secrets->empty()) verdict.secrets = verdict.secrets.value_or(0) + secrets->size();
  return "";
}

void read_subject(const json::Object& root, ReportItem& item) {
  if (const auto metadata = object_in(root, "Metadata")) {
    for (const std::string_view digest : texts_in(*metadata, "RepoDigests")) {
      add_digest(item.digests, digest);
    }
    add_digest(item.config_digests, text_in(*metadata, "ImageID"));
  }
  add_digest(item.digests, text_in(root, "ArtifactName"));
}

}  // namespace

// github.com/aquasecurity/trivy pkg/types/report.go, SchemaVersion 2.
ReadItems read_trivy(const json::Object& root) {
  if (count_in(root, "SchemaVersion") != kKnownSchema) {
    return std::unexpected("of Trivy's reports only those with SchemaVersion 2 are known");
  }
  ReportItem item;
  policy::ScanVerdict& verdict = item.verdict;
  verdict.scanned_at = time_in(root, "CreatedAt");
  verdict.scanner = "Trivy";
  if (const auto trivy = object_in(root, "Trivy")) {
    verdict.scanner += " " + text_in(*trivy, "Version");
  }
  read_subject(root, item);
  Tally tally(true);
  const auto results = objects_in(root, "Results");
  if (!results) return std::unexpected(results.error());
  for (std::size_t i = 0; i < results->size(); ++i) {
    const std::string problem = read_result((*results)[i], tally, verdict);
    if (!problem.empty()) {
      return std::unexpected("Results[" + std::to_string(i) + "]: " + problem);
    }
  }
  tally.finish(verdict);
  std::vector<ReportItem> items;
  items.push_back(std::move(item));
  return items;
}

}  // namespace plimsoll::webhook::scan
