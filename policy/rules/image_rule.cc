#include "policy/rules/image_rule.h"

#include <array>
#include <cstdint>

#include "policy/dates.h"

namespace plimsoll::policy::rules {
namespace {

struct Unit {
  std::string_view word;
  std::int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits = {
    {{"day", 86'400}, {"hour", 3'600}, {"minute", 60}, {"second", 1}}};

std::string in_unit(std::int64_t count, const Unit& unit) {
  return std::to_string(count) + " " + std::string(unit.word) + (count == 1 ? "" : "s");
}

}  // namespace

Finding& add_image_finding(const RuleInput& input,
                           const Container& container,
                           std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.subject = image_subject(container);
  finding.pointer = image_pointer(input.workload, container);
  return finding;
}

void add_unknown(const RuleInput& input,
                 const Container& container,
                 const Platform* platform,
                 const Unknown& unknown,
                 std::vector<Finding>& findings) {
  Finding& finding = add_image_finding(input, container, findings);
  finding.unknown = unknown;
  finding.found = std::string("unknown: ") + std::string(reason_word(unknown.reason));
  finding.limit = "known";
  finding.message = describe_image(container);
  if (platform != nullptr && unknown.reason == UnknownReason::kNoMatchingPlatform) {
    finding.message += " (" + platform_text(*platform) + ")";
  }
  finding.message += " is not known well enough: " + unknown_text(unknown);
  finding.remedy = reason_remedy(unknown.reason);
}

const Unknown* why_unknown(const PlatformFacts& facts, FactSet wanted) {
  if ((wanted & kManifest) != 0 && !facts.manifest) return &facts.manifest.error();
  if ((wanted & kConfig) != 0 && !facts.config) return &facts.config.error();
  return nullptr;
}

bool add_gravest_unknown(const RuleInput& input,
                         const Container& container,
                         const ImageFacts& facts,
                         FactSet wanted,
                         std::vector<Finding>& findings) {
  const Unknown* gravest = nullptr;
  const Platform* platform = nullptr;
  for (const PlatformFacts& candidate : facts.platforms) {
    const Unknown* why = why_unknown(candidate, wanted);
    if (why == nullptr) continue;
    const bool graver = gravest == nullptr || class_of(why->reason) < class_of(gravest->reason);
    if (!graver) continue;
    gravest = why;
    platform = &candidate.platform;
  }
  if (gravest == nullptr) return false;
  add_unknown(input, container, platform, *gravest, findings);
  return true;
}

std::optional<Unknown> why_not_scanned(const ScanVerdict& verdict) {
  switch (verdict.state) {
    case ScanState::kPending:
      return Unknown{UnknownReason::kReportPending, ""};
    case ScanState::kFailed:
      return Unknown{UnknownReason::kReportFailed, ""};
    case ScanState::kUnsupported:
      return Unknown{UnknownReason::kReportUnsupported, ""};
    case ScanState::kScanned:
      break;
  }
  return std::nullopt;
}

std::string span_limit_text(std::chrono::seconds limit) {
  for (const Unit& unit : kUnits) {
    const bool whole = limit.count() >= unit.seconds && limit.count() % unit.seconds == 0;
    if (whole) return in_unit(limit.count() / unit.seconds, unit);
  }
  return "0 seconds";
}

std::string span_above(std::chrono::seconds span, std::chrono::seconds limit) {
  for (const Unit& unit : kUnits) {
    const std::int64_t count = span.count() / unit.seconds;
    if (count > 0 && count * unit.seconds > limit.count()) return in_unit(count, unit);
  }
  return time_span_text(span);
}

}  // namespace plimsoll::policy::rules
