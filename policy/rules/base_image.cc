#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "policy/image_base.h"
#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::array<std::string_view, 2> kEvidenceWords = {"proof", "claim"};
constexpr std::size_t kAllow = 0;
constexpr std::size_t kEvidence = 1;
constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "allow",
     .kind = ParameterKind::kImagePatternList,
     .default_json = "[]",
     .summary = "base images that may be built on (patterns); entries without wildcards can be "
                "proven; empty: "
                "all"},
    {.name = "evidence",
     .kind = ParameterKind::kChoiceList,
     .default_json = R"(["proof","claim"])",
     .summary = "what counts; proof: the base's layers are the image's first ones, claim: an "
                "annotation or a label says so",
     .choices = kEvidenceWords},
}};

FactSet needs(const RuleInput& input, const Container& /*container*/) {
  return input.parameters.list(kAllow).empty() ? kNoFacts : kResolution | kManifest | kConfig;
}

// An entry that names one image, as a reference.
std::optional<std::string> exact_reference(const std::string& pattern) {
  if (pattern.find_first_of("*?") != std::string::npos) return std::nullopt;
  const auto reference = parse_image_reference(pattern);
  if (!reference) return std::nullopt;
  return reference->normalised();
}

std::vector<std::string> compared(const Parameters& parameters) {
  std::vector<std::string> references;
  const auto& evidence = parameters.list(kEvidence);
  if (std::ranges::find(evidence, kEvidenceWords[0]) == evidence.end()) return references;
  for (const std::string& pattern : parameters.list(kAllow)) {
    auto reference = exact_reference(pattern);
    if (reference) references.push_back(*std::move(reference));
  }
  return references;
}

bool counts_as(const RuleInput& input, std::string_view evidence) {
  const auto& accepted = input.parameters.list(kEvidence);
  return std::ranges::find(accepted, evidence) != accepted.end();
}

struct Proof {
  bool proven = false;
  // Why some base could not be compared, so that its absence proves nothing.
  std::optional<Unknown> open;
};

void compare(const ImageConfig& config, const ImageFacts& base, Proof& proof) {
  for (const PlatformFacts& platform : base.platforms) {
    if (!platform.config) {
      // A base that is not there, or not for this platform, is no image's base.
      const UnknownReason why = platform.config.error().reason;
      const bool absent =
          why == UnknownReason::kNoMatchingPlatform || why == UnknownReason::kNotFound;
      if (!absent && !proof.open) proof.open = platform.config.error();
      continue;
    }
    const ImageConfig& of_base = **platform.config;
    const bool same = !of_base.diff_ids.empty() && of_base.diff_ids == config.diff_ids;
    proof.proven = proof.proven || same || is_built_on(config, of_base);
  }
}

Proof prove(const RuleInput& input, const ImageConfig& config) {
  Proof proof;
  for (const std::string& reference : compared(input.parameters)) {
    const ImageFacts* base = input.facts.find_compared(reference);
    std::optional<Unknown> before = std::exchange(proof.open, std::nullopt);
    if (base != nullptr) {
      compare(config, *base, proof);
    } else {
      proof.open = Unknown{UnknownReason::kTimeout, "it was not looked up"};
    }
    if (proof.open) {
      const std::string& detail = proof.open->detail;
      proof.open->detail =
          "base image " + printable(reference) + (detail.empty() ? "" : ": " + detail);
    }
    if (before) proof.open = std::move(before);
    if (proof.proven) break;
  }
  return proof;
}

bool is_allowed(const RuleInput& input, const BaseClaim& claim) {
  const auto reference = parse_image_reference(claim.name);
  if (!reference) return false;
  return std::ranges::any_of(input.parameters.list(kAllow), [&reference](const auto& pattern) {
    return image_pattern_matches(pattern, *reference);
  });
}

void add(const RuleInput& input,
         const Container& container,
         const BaseClaim* claim,
         bool allowed,
         std::vector<Finding>& findings) {
  Finding& finding = add_image_finding(input, container, findings);
  finding.limit = "an allowed base image";
  finding.message = describe_image(container);
  if (claim == nullptr) {
    finding.found = "no evidence";
    finding.message += ": nothing shows what it was built on";
    return;
  }
  finding.found = printable(claim->name.empty() ? claim->digest : claim->name);
  finding.message += " is built on " + finding.found + " (claimed by " +
                     (claim->source == "annotation" ? "an " : "a ") + std::string(claim->source) +
                     "), which " + (allowed ? "its layers do not prove" : "is not an allowed base");
}

// True if it found something.
bool judge(const RuleInput& input,
           const Container& container,
           const ImageFacts& facts,
           const PlatformFacts& platform,
           std::vector<Finding>& findings) {
  const ImageConfig& config = **platform.config;
  const Proof proof = prove(input, config);
  if (proof.proven) return false;
  const Resolution* resolution = facts.resolution ? &*facts.resolution : nullptr;
  const std::vector<BaseClaim> claims = base_claims(**platform.manifest, resolution, config);
  const bool allowed = std::ranges::any_of(
      claims, [&input](const BaseClaim& claim) { return is_allowed(input, claim); });
  if (allowed && counts_as(input, kEvidenceWords[1])) return false;
  if (proof.open) {
    add_unknown(input, container, nullptr, *proof.open, findings);
  } else {
    add(input, container, claims.empty() ? nullptr : &claims.front(), allowed, findings);
  }
  return true;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  if (input.parameters.list(kAllow).empty()) return;
  judge_platforms(
      input,
      kManifest | kConfig,
      findings,
      [&](const Container& container, const ImageFacts& facts, const PlatformFacts& platform) {
        return judge(input, container, facts, platform, findings);
      });
}

}  // namespace

constinit const Rule kBaseImage = {
    .id = "base-image",
    .title = "Images are built on allowed base images",
    .why =
        "Most of an image's packages, and of its vulnerabilities, come with its base. Layers prove "
        "what an image was built on; annotations and labels only claim it, and children inherit "
        "labels.",
    .remedy = "build on one of the allowed base images",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
    .compared = compared,
};

}  // namespace plimsoll::policy::rules
