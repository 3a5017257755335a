// What the rules over image facts share: how they come by a fact, and what they say without it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/rule.h"

namespace plimsoll::policy::rules {

// A finding about the image of `container`: container, subject and pointer are set.
Finding& add_image_finding(const RuleInput& input,
                           const Container& container,
                           std::vector<Finding>& findings);

// The fact is not known. `platform`: of which platform, or nullptr. Equal texts of several rules
// are told once, so nothing of the rule is in it.
void add_unknown(const RuleInput& input,
                 const Container& container,
                 const Platform* platform,
                 const Unknown& unknown,
                 std::vector<Finding>& findings);

// Calls `visit(container, facts)` for each container whose facts are there.
template <class Visit>
void for_each_image(const RuleInput& input, Visit visit) {
  for (const Container* container : input.containers) {
    const ImageFacts* facts = input.facts.find(input.workload, *container);
    if (facts != nullptr) visit(*container, *facts);
  }
}

// Why `facts` of a platform are not known: the manifest's reason, or the configuration's where
// `wanted` has kConfig. nullptr: they are.
const Unknown* why_unknown(const PlatformFacts& facts, FactSet wanted);

// Adds a finding about that platform whose `wanted` facts are unknown for the gravest reason, if
// there is one. False: all of them are known.
bool add_gravest_unknown(const RuleInput& input,
                         const Container& container,
                         const ImageFacts& facts,
                         FactSet wanted,
                         std::vector<Finding>& findings);

// Calls `judge(container, facts, platform)` for the platforms of each image whose manifest (and,
// with kConfig in `wanted`, configuration) is known, until it returns true, having added a finding.
// What is unknown becomes a finding only where nothing else was found.
template <class Judge>
void judge_platforms(const RuleInput& input,
                     FactSet wanted,
                     std::vector<Finding>& findings,
                     Judge judge) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    for (const PlatformFacts& platform : facts.platforms) {
      const bool known = why_unknown(platform, wanted) == nullptr;
      if (known && judge(container, facts, platform)) return;
    }
    add_gravest_unknown(input, container, facts, wanted, findings);
  });
}

// The verdict is none: the scan has not ended, has failed, or was not possible.
std::optional<Unknown> why_not_scanned(const ScanVerdict& verdict);

// A limit without rounding: "7 days", "36 hours".
std::string span_limit_text(std::chrono::seconds limit);
// `span` above `limit`, in the largest unit in which it looks larger: "169 hours" above "7 days".
std::string span_above(std::chrono::seconds span, std::chrono::seconds limit);

}  // namespace plimsoll::policy::rules
