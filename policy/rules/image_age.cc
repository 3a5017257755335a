#include <array>

#include "policy/dates.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::array<std::string_view, 2> kUndatedWords = {"ignore", "report"};
constexpr std::size_t kMaximum = 0;
constexpr std::size_t kUndated = 1;
constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "maximum",
     .kind = ParameterKind::kDuration,
     .default_json = R"("180d")",
     .summary = "since the image was built, by its own word"},
    {.name = "undated",
     .kind = ParameterKind::kChoice,
     .default_json = R"("ignore")",
     .summary = "what a missing date means, or one before 2000 (reproducible builds) or of the "
                "future",
     .choices = kUndatedWords},
}};

constexpr std::chrono::sys_seconds kEarliest =
    std::chrono::sys_days(std::chrono::year(2000) / std::chrono::January / 1);

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kResolution | kManifest | kConfig;
}

bool is_plausible(std::optional<std::chrono::sys_seconds> time, std::chrono::sys_seconds now) {
  return time && *time >= kEarliest && *time <= now + std::chrono::days(1);
}

std::optional<std::chrono::sys_seconds> built(const ImageFacts& facts,
                                              const PlatformFacts& platform,
                                              std::chrono::sys_seconds now) {
  const ImageConfig& config = **platform.config;
  if (is_plausible(config.created, now)) return config.created;
  constexpr std::string_view kCreated = "org.opencontainers.image.created";
  const std::array<const KeyValues*, 3> places = {
      platform.manifest ? &(*platform.manifest)->annotations : nullptr,
      facts.resolution ? &facts.resolution->annotations : nullptr,
      &config.labels};
  for (const KeyValues* pairs : places) {
    const auto text = pairs != nullptr ? find_value(*pairs, kCreated) : std::nullopt;
    const auto time = text ? parse_time(*text) : std::nullopt;
    if (is_plausible(time, now)) return time;
  }
  return std::nullopt;
}

// True if it found something.
bool judge(const RuleInput& input,
           const Container& container,
           const std::optional<std::chrono::sys_seconds>& when,
           std::vector<Finding>& findings) {
  const auto maximum = input.parameters.duration(kMaximum);
  if (!when && input.parameters.text(kUndated) == kUndatedWords[0]) return false;
  if (when && (!maximum || input.now - *when <= *maximum)) return false;
  Finding& finding = add_image_finding(input, container, findings);
  finding.limit = maximum ? span_limit_text(*maximum) : "a date";
  if (when) {
    finding.found = span_above(input.now - *when, *maximum);
    finding.message = describe_image(container) + " is " + finding.found + " old (built " +
                      date_text(std::chrono::floor<std::chrono::days>(*when)) + "), limit " +
                      finding.limit;
  } else {
    finding.found = "no date";
    finding.message = describe_image(container) + " does not say when it was built";
    finding.remedy = "build with a date, such as SOURCE_DATE_EPOCH of the last commit";
  }
  return true;
}

// The oldest platform decides; one without a date only where none is too old.
void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    std::optional<std::chrono::sys_seconds> oldest;
    bool undated = false;
    for (const PlatformFacts& platform : facts.platforms) {
      if (!platform.config) continue;
      const auto when = built(facts, platform, input.now);
      undated = undated || !when;
      if (when && (!oldest || *when < *oldest)) oldest = when;
    }
    if (oldest && judge(input, container, oldest, findings)) return;
    if (undated && judge(input, container, std::nullopt, findings)) return;
    add_gravest_unknown(input, container, facts, kConfig, findings);
  });
}

}  // namespace

constinit const Rule kImageAge = {
    .id = "image-age",
    .title = "Images are not too old",
    .why =
        "An image that nobody has built for a long time has none of the fixes of that time. The "
        "date is the builder's word: a matter of hygiene, not of security.",
    .remedy = "build the image again on a current base",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
