#include <array>
#include <optional>
#include <utility>

#include "policy/dates.h"
#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"
#include "policy/rules/scan_counts.h"

namespace plimsoll::policy::rules {
namespace {

// The parameters critical, high, medium and low come first, in the order of Severity.
constexpr std::size_t kFixableOnly = 4;
constexpr std::size_t kMaximumAge = 5;
constexpr std::size_t kIgnore = 6;
constexpr std::size_t kGraceFor = 7;
constexpr std::array<Parameter, 8> kParameters = {{
    {.name = "critical",
     .kind = ParameterKind::kCount,
     .default_json = "0",
     .summary = "critical vulnerabilities at most"},
    {.name = "high",
     .kind = ParameterKind::kCount,
     .default_json = "null",
     .summary = "high ones at most"},
    {.name = "medium",
     .kind = ParameterKind::kCount,
     .default_json = "null",
     .summary = "medium ones at most"},
    {.name = "low",
     .kind = ParameterKind::kCount,
     .default_json = "null",
     .summary = "low ones at most"},
    {.name = "fixableOnly",
     .kind = ParameterKind::kFlag,
     .default_json = "false",
     .summary = "count only those for which a fixed version is known"},
    {.name = "maximumAge",
     .kind = ParameterKind::kDuration,
     .default_json = R"("168h")",
     .summary = "of the report; an older one is as good as none"},
    {.name = "ignore",
     .kind = ParameterKind::kIgnoreList,
     .default_json = "[]",
     .summary = "vulnerabilities that do not count, each until a day"},
    {.name = "graceFor",
     .kind = ParameterKind::kDuration,
     .default_json = R"("30m")",
     .summary = "how long after an image was first seen a missing report is only recorded"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kResolution | kScan;
}

std::string source_text(const ScanVerdict& verdict) {
  std::string text = verdict.scanner.empty() ? "a report" : printable(verdict.scanner, 64);
  if (verdict.scanned_at) {
    text += ", " + date_text(std::chrono::floor<std::chrono::days>(*verdict.scanned_at));
  }
  return text;
}

// The vulnerabilities that count, up to five, of the severities that are above their ceilings.
std::string worst_lines(const RuleInput& input,
                        const RemainingCounts& counts,
                        const std::array<bool, kCeilings>& above) {
  constexpr std::size_t kShown = 5;
  constexpr std::size_t kRunes = 64;
  std::string text;
  std::size_t shown = 0;
  for (const Vulnerability* found : counts.listed) {
    const auto severity = static_cast<std::size_t>(found->severity);
    if (severity >= kCeilings || !above[severity]) continue;
    if (input.parameters.flag(kFixableOnly) && found->fixed.empty()) continue;
    if (shown++ == kShown) break;
    text += "\n" + printable(found->id, kRunes) + " " + printable(found->package, kRunes) + " " +
            printable(found->installed, kRunes);
    if (!found->fixed.empty()) text += " -> " + printable(found->fixed, kRunes);
  }
  return text;
}

// "3 critical vulnerabilities (2 fixable)".
std::string count_text(const RuleInput& input,
                       const ScanVerdict& verdict,
                       const RemainingCounts& counts,
                       std::size_t severity) {
  const bool fixable_only = input.parameters.flag(kFixableOnly);
  const std::uint64_t count = fixable_only ? counts.fixable[severity] : counts.total[severity];
  std::string text = std::to_string(count) + (fixable_only ? " fixable " : " ");
  text += severity_word(static_cast<Severity>(severity));
  text += count == 1 ? " vulnerability" : " vulnerabilities";
  const bool says_fixable = !fixable_only && verdict.counts[severity].fixable.has_value();
  if (says_fixable) text += " (" + std::to_string(counts.fixable[severity]) + " fixable)";
  return text;
}

void judge_counts(const RuleInput& input,
                  const Container& container,
                  const ScanVerdict& verdict,
                  std::vector<Finding>& findings) {
  const RemainingCounts counts =
      remaining_counts(verdict, input.parameters.ignored(kIgnore), input.now);
  std::string message;
  std::string found;
  std::string limit;
  std::array<bool, kCeilings> above{};
  for (std::size_t s = 0; s < kCeilings; ++s) {
    const auto ceiling = input.parameters.count(s);
    const bool fixable_only = input.parameters.flag(kFixableOnly);
    const std::uint64_t count = fixable_only ? counts.fixable[s] : counts.total[s];
    above[s] = ceiling && std::cmp_greater(count, *ceiling);
    if (!above[s]) continue;
    const std::string text = count_text(input, verdict, counts, s);
    found += (found.empty() ? "" : ", ") + text;
    limit += (limit.empty() ? "" : ", ") + std::to_string(*ceiling) + " " +
             std::string(severity_word(static_cast<Severity>(s)));
    message += (message.empty() ? "" : ", and ") + text + ", limit " + std::to_string(*ceiling);
  }
  if (found.empty()) return;
  Finding& finding = add_image_finding(input, container, findings);
  finding.found = std::move(found);
  finding.limit = std::move(limit);
  finding.message =
      describe_image(container) + " has " + message + " (" + source_text(verdict) + ")";
  finding.detail = worst_lines(input, counts, above) + counts.note;
  if (verdict.weak) {
    finding.detail += "\nthe report is about the tag, perhaps not about what it names today";
  }
  if (finding.detail.starts_with('\n')) finding.detail.erase(0, 1);
}

// The report tells which of the vulnerabilities that are limited can be fixed.
bool tells_fixable(const RuleInput& input, const ScanVerdict& verdict) {
  if (!verdict.has_fix_information) return false;
  for (std::size_t s = 0; s < kCeilings; ++s) {
    const SeverityCount& count = verdict.counts[s];
    if (input.parameters.count(s) && count.total > 0 && !count.fixable) return false;
  }
  return true;
}

std::optional<Unknown> fault_of(const RuleInput& input, const ScanVerdict& verdict) {
  if (auto why = why_not_scanned(verdict)) return why;
  const auto maximum = input.parameters.duration(kMaximumAge);
  if (maximum && !verdict.scanned_at) {
    return Unknown{UnknownReason::kReportStale, "it does not say when it was made"};
  }
  if (maximum && input.now - *verdict.scanned_at > *maximum) {
    const auto day = std::chrono::floor<std::chrono::days>(*verdict.scanned_at);
    return Unknown{UnknownReason::kReportStale,
                   "scanned " + date_text(day) + ", " +
                       span_above(input.now - *verdict.scanned_at, *maximum) + " ago, limit " +
                       span_limit_text(*maximum)};
  }
  if (input.parameters.flag(kFixableOnly) && !tells_fixable(input, verdict)) {
    return Unknown{UnknownReason::kNoFixInformation, ""};
  }
  return std::nullopt;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto grace = input.parameters.duration(kGraceFor);
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    if (!facts.resolution) {
      return add_unknown(input, container, nullptr, facts.resolution.error(), findings);
    }
    std::optional<Unknown> fault;
    if (facts.scan) {
      fault = fault_of(input, **facts.scan);
    } else {
      fault = facts.scan.error();
    }
    if (!fault) return judge_counts(input, container, **facts.scan, findings);
    add_unknown(input, container, nullptr, *fault, findings);
    const bool awaited =
        fault->reason == UnknownReason::kNoReport || fault->reason == UnknownReason::kReportPending;
    findings.back().in_grace =
        awaited && grace && input.now - facts.resolution->first_seen < *grace;
  });
}

}  // namespace

constinit const Rule kImageScan = {
    .id = "image-scan",
    .title = "Images are scanned, and what was found is within limits",
    .why =
        "A known vulnerability that is fixed elsewhere is the cheapest one to use. A report counts "
        "for as long as it is young; no report never reads as a clean one: onUnknown.scan decides.",
    .remedy = "update the packages or the base image, scan again, or ignore an id until a day",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
