// What the readers of reports share: members of objects, and counting vulnerabilities.
#pragma once

#include <array>
#include <chrono>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policy/json.h"
#include "policy/scan_verdict.h"
#include "webhook/scan/report_reader.h"

namespace plimsoll::webhook::scan {

namespace json = policy::json;

// Texts are cut to so many bytes, between characters.
inline constexpr std::size_t kMaxTextBytes = 512;
std::string cut_text(std::string_view text);

// Members that are absent or of another type are empty.
std::string text_in(const json::Object& object, std::string_view key);
std::optional<json::Object> object_in(const json::Object& object, std::string_view key);
std::optional<json::Array> array_in(const json::Object& object, std::string_view key);
std::optional<std::uint64_t> count_in(const json::Object& object, std::string_view key);
std::optional<std::chrono::sys_seconds> time_in(const json::Object& object, std::string_view key);
bool flag_in(const json::Object& object, std::string_view key);
// The texts of a list; other entries are left out.
std::vector<std::string_view> texts_in(const json::Object& object, std::string_view key);

// The objects of a list, none where it is absent or null. What holds findings must not be skipped
// because it looks different from what was expected: any other value is an error.
std::expected<std::vector<json::Object>, std::string> objects_in(const json::Object& object,
                                                                 std::string_view key);

// "sha256:..." at the end of "name@sha256:..." or alone; empty: none.
std::string digest_in(std::string_view text);
// Adds it where it is one and not there yet.
void add_digest(std::vector<std::string>& digests, std::string_view text);

// Counts vulnerabilities, each once by id, package and installed version, and keeps the worst.
class Tally {
 public:
  explicit Tally(bool has_fix_information) : has_fix_information_(has_fix_information) {}
  void add(policy::Vulnerability vulnerability);
  // Sets counts, vulnerabilities, list_complete and has_fix_information.
  void finish(policy::ScanVerdict& verdict);

 private:
  bool has_fix_information_;
  std::set<std::string> seen_;
  std::array<policy::SeverityCount, policy::kSeverities> counts_{};
  std::vector<policy::Vulnerability> kept_;
};

inline constexpr std::size_t kMaxAliases = 16;  // of one vulnerability
void add_alias(policy::Vulnerability& vulnerability, std::string_view alias);

// The readers of one format each; `root` is of that format already.
using ReadItems = std::expected<std::vector<ReportItem>, std::string>;
ReadItems read_neutral(const json::Object& root);
ReadItems read_trivy(const json::Object& root);
ReadItems read_grype(const json::Object& root);
ReadItems read_sarif(const json::Object& root);

}  // namespace plimsoll::webhook::scan
