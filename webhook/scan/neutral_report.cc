#include <algorithm>
#include <map>
#include <utility>

#include "policy/image_reference.h"
#include "webhook/scan/report_json.h"

namespace plimsoll::webhook::scan {
namespace {

using policy::ScanState;
using policy::Severity;
using policy::SeverityCount;

ScanState state_of(std::string_view word) {
  if (word == "scanned") return ScanState::kScanned;
  if (word == "pending") return ScanState::kPending;
  return word == "unsupported" ? ScanState::kUnsupported : ScanState::kFailed;
}

// A time that cannot be read must not pass for no time: an item would never expire.
std::string read_time(const json::Object& object,
                      std::string_view key,
                      std::optional<std::chrono::sys_seconds>& time) {
  const auto member = json::last_member(object, key);
  if (!member || member->is_null()) return "";
  time = time_in(object, key);
  return time ? "" : std::string(key) + " must be a time such as 2026-08-20T06:00:00Z";
}

std::string read_count(std::string_view word, const json::Element& value, SeverityCount& count) {
  const auto object = json::as_object(value);
  const auto total = object ? count_in(*object, "total") : std::nullopt;
  const std::string where = "counts." + cut_text(word);
  if (!total) return where + R"( must be such as {"total": 2, "fixable": 1})";
  const auto fixable = json::last_member(*object, "fixable");
  const auto fixes = count_in(*object, "fixable");
  if (fixable && !fixable->is_null() && !fixes) return where + ".fixable must be a whole number";
  if (fixes > total) return where + ": more are fixable than there are";
  count = {*total, fixes};
  return "";
}

// The list may hold more than the counts admit; then it is believed.
void merge_count(const SeverityCount& read, SeverityCount& count) {
  const std::uint64_t listed = count.fixable.value_or(0);
  count.total = std::max(count.total, read.total);
  count.fixable = read.fixable ? std::optional(std::max(listed, *read.fixable)) : std::nullopt;
}

std::string read_counts(const json::Object& counts, policy::ScanVerdict& verdict) {
  std::map<Severity, json::Element> by_severity;
  for (const auto& [key, value] : counts) {
    const Severity severity = policy::severity_of(key);
    const bool known = severity != Severity::kUnknown || key == "unknown" || key == "UNKNOWN";
    if (known) by_severity.insert_or_assign(severity, value);
  }
  bool all_fixes = true;
  for (const auto& [severity, value] : by_severity) {
    SeverityCount read;
    const std::string problem = read_count(policy::severity_word(severity), value, read);
    if (!problem.empty()) return problem;
    merge_count(read, verdict.counts[static_cast<std::size_t>(severity)]);
    all_fixes = all_fixes && read.fixable.has_value();
  }
  verdict.has_fix_information = all_fixes;
  for (SeverityCount& count : verdict.counts) {
    count.fixable = all_fixes ? std::optional(count.fixable.value_or(0)) : std::nullopt;
  }
  return "";
}

std::string read_list(const json::Object& object, policy::ScanVerdict& verdict) {
  const auto list = objects_in(object, "vulnerabilities");
  if (!list) return list.error();
  Tally tally(true);
  for (const json::Object& entry : *list) {
    policy::Vulnerability found;
    found.id = text_in(entry, "id");
    found.package = text_in(entry, "package");
    found.installed = text_in(entry, "installed");
    found.fixed = text_in(entry, "fixed");
    found.severity = policy::severity_of(text_in(entry, "severity"));
    for (const std::string_view alias : texts_in(entry, "aliases")) add_alias(found, alias);
    tally.add(std::move(found));
  }
  tally.finish(verdict);
  return "";
}

std::string read_findings(const json::Object& object, policy::ScanVerdict& verdict) {
  const bool has_list = array_in(object, "vulnerabilities").has_value();
  std::string problem = read_list(object, verdict);
  if (!problem.empty()) return problem;
  const auto member = json::last_member(object, "counts");
  const bool has_counts = member && !member->is_null();
  const auto counts = has_counts ? json::as_object(*member) : std::nullopt;
  if (has_counts && !counts) return "counts must be an object";
  if (verdict.state == ScanState::kScanned && !counts && !has_list) {
    return "a scanned item needs counts or vulnerabilities";
  }
  const auto listed = verdict.counts;
  if (counts) problem = read_counts(*counts, verdict);
  // The list is whole if it holds all that is counted, and nothing was kept out of the counts.
  verdict.list_complete = verdict.list_complete && (flag_in(object, "listComplete") || !counts);
  for (std::size_t i = 0; i < policy::kSeverities; ++i) {
    const bool all = listed[i].total == verdict.counts[i].total;
    verdict.list_complete = verdict.list_complete && all;
  }
  return problem;
}

std::string read_subject(const json::Object& object, ReportItem& item) {
  const std::string digest = text_in(object, "digest");
  add_digest(item.digests, digest);
  if (!digest.empty() && item.digests.empty()) {
    return "digest must be sha256: and 64 hexadecimal digits";
  }
  if (!flag_in(object, "allowTagMatch")) return "";
  const std::string image = text_in(object, "image");  // the reference refers to it
  const auto reference = policy::parse_image_reference(image);
  if (!reference) return "image is no reference, and allowTagMatch needs one";
  item.references.push_back(reference->normalised());
  return "";
}

std::string read_item(const json::Object& object, ReportItem& item) {
  policy::ScanVerdict& verdict = item.verdict;
  verdict.state = state_of(text_in(object, "status"));
  if (const auto scanner = object_in(object, "scanner")) {
    verdict.scanner = text_in(*scanner, "name") + " " + text_in(*scanner, "version");
  }
  verdict.packages = count_in(object, "packages");
  verdict.secrets = count_in(object, "secrets");
  std::string problem = read_subject(object, item);
  if (problem.empty()) problem = read_time(object, "scannedAt", verdict.scanned_at);
  if (problem.empty()) problem = read_time(object, "expiresAt", item.expires);
  if (problem.empty()) problem = read_findings(object, verdict);
  return problem;
}

}  // namespace

ReadItems read_neutral(const json::Object& root) {
  std::vector<ReportItem> items;
  if (!array_in(root, "items")) return std::unexpected("items must be a list");
  const auto list = objects_in(root, "items");
  if (!list) return std::unexpected(list.error());
  if (list->size() > kMaxItems) return std::unexpected("more than 10,000 items");
  for (const json::Object& object : *list) {
    ReportItem item;
    const std::string problem = read_item(object, item);
    if (!problem.empty()) {
      return std::unexpected("items[" + std::to_string(items.size()) + "]: " + problem);
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace plimsoll::webhook::scan
