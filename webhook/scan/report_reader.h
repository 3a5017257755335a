// Reads scan reports: Trivy's and Grype's JSON, SARIF, and our own neutral document.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/scan_verdict.h"

namespace plimsoll::webhook::scan {

inline constexpr std::size_t kMaxReportBytes = 16u << 20U;
inline constexpr std::size_t kMaxItems = 10'000;  // of one report

// One image's part of a report.
struct ReportItem {
  std::vector<std::string> digests;         // "sha256:...": of an index or a manifest
  std::vector<std::string> config_digests;  // of an image's configuration: its ID
  std::vector<std::string> references;      // normalised; only where a match by tag is allowed
  policy::ScanVerdict verdict;
  std::optional<std::chrono::sys_seconds> expires;
};

// What is known of a report before it is read.
struct ReportContext {
  std::string_view file_digest;  // that the file's name says, or empty
  std::chrono::sys_seconds now;  // reports of the future are refused
};

// The format is told by the content. The error is a sentence: what is wrong, and what to do.
std::expected<std::vector<ReportItem>, std::string> read_report(std::string_view json,
                                                                const ReportContext& context);

// "sha256-<hex>.json", "sha256:<hex>.json" or "<hex>.json" -> "sha256:<hex>"; empty: no digest.
std::string digest_of_file_name(std::string_view name);

}  // namespace plimsoll::webhook::scan
