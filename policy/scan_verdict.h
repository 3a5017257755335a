// What a scanner says of an image: one form for all scanners.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plimsoll::policy {

enum class Severity : std::uint8_t { kCritical, kHigh, kMedium, kLow, kNegligible, kUnknown };
inline constexpr std::size_t kSeverities = 6;

// "critical", "high", ...
std::string_view severity_word(Severity severity);
// Ignores case; other words scanners use are mapped ("MINIMAL", "INFORMATIONAL", "Defcon1",
// "moderate", "important"); what nobody knows is kUnknown.
Severity severity_of(std::string_view word);
// By CVSS score: from 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low.
Severity severity_of_score(double score);

enum class ScanState : std::uint8_t { kScanned, kPending, kFailed, kUnsupported };

struct SeverityCount {
  std::uint64_t total = 0;
  std::optional<std::uint64_t> fixable;  // nothing: the report does not say
};

struct Vulnerability {
  std::string id;
  std::vector<std::string> aliases;
  std::string package;
  std::string installed;
  std::string fixed;  // the version that fixes it; empty: none is known
  Severity severity = Severity::kUnknown;
};

inline constexpr std::size_t kMaxVulnerabilities = 5'000;

struct ScanVerdict {
  ScanState state = ScanState::kScanned;
  std::string source;          // name of the configured source: "files"
  std::string scanner;         // "Trivy 0.58.1"
  std::string subject_digest;  // what it is about; empty with a weak match by tag
  bool weak = false;
  std::optional<std::chrono::sys_seconds> scanned_at;
  std::array<SeverityCount, kSeverities> counts{};  // by Severity
  bool has_fix_information = false;
  // Each vulnerability once by id and package; at most kMaxVulnerabilities, the worst first.
  std::vector<Vulnerability> vulnerabilities;
  bool list_complete = false;  // `vulnerabilities` holds all that the counts count
  std::optional<std::uint64_t> packages;
  std::optional<std::uint64_t> secrets;

  const SeverityCount& count(Severity severity) const {
    return counts[static_cast<std::size_t>(severity)];
  }
};

}  // namespace plimsoll::policy
