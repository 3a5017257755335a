// A rule: what it is called, why it is there, what to do about it, and the check itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/fact_table.h"
#include "policy/finding.h"
#include "policy/parameters.h"
#include "policy/workload.h"

namespace plimsoll::policy {

enum class Action : std::uint8_t { kOff, kAudit, kWarn, kEnforce };

struct RuleInput {
  const Workload& workload;
  // Those that the policy selects, in the workload's order; never empty.
  std::span<const Container* const> containers;
  const Parameters& parameters;
  // What is known of the images; rules without `needs` have no business with it.
  FactTable facts = {};
  std::chrono::sys_seconds now = {};
};

// Appends what it finds; looks at nothing but its input. Anything that comes from the request goes
// through printable() or quoted() before it becomes part of a text.
using Check = void (*)(const RuleInput& input, std::vector<Finding>& findings);

// Which facts about the image of `container` the rule would look at. `input.facts` is empty then.
using Needs = FactSet (*)(const RuleInput& input, const Container& container);
// References of further images that the rule compares with, whose configuration it needs: they are
// part of the policy, not of the request. Normalised.
using Compared = std::vector<std::string> (*)(const Parameters& parameters);

struct Rule {
  std::string_view id;      // "image-tag"
  std::string_view title;   // "Images have a fixed tag or a digest"
  std::string_view why;     // one or two sentences for somebody who was just refused
  std::string_view remedy;  // imperative, one line, follows "fix: "
  std::span<const Parameter> parameters;
  Check check = nullptr;
  Needs needs = nullptr;  // nullptr: the rule judges by the object alone
  Compared compared = nullptr;
};

// Every rule, in report order.
std::span<const Rule* const> all_rules();

// nullptr where there is none of that id.
const Rule* find_rule(std::string_view id);

// "off", "audit", "warn", "enforce".
std::string_view action_word(Action action);

}  // namespace plimsoll::policy
