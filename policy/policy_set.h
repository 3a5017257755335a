// Policies as values: what applies where, with which parameters and action, and who is excepted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/exception.h"
#include "policy/rule.h"
#include "policy/selection.h"

namespace plimsoll::policy {

// What an unknown fact means, by the class of its reason.
struct OnUnknown {
  Action definite = Action::kEnforce;
  Action access = Action::kWarn;
  Action outage = Action::kWarn;
  Action scan = Action::kWarn;

  Action of(UnknownClass unknown_class) const {
    switch (unknown_class) {
      case UnknownClass::kDefinite:
        return definite;
      case UnknownClass::kAccess:
        return access;
      case UnknownClass::kOutage:
        return outage;
      case UnknownClass::kScan:
        return scan;
    }
    return outage;
  }
};

struct RuleSetting {
  const Rule* rule = nullptr;
  Action action = Action::kOff;
  Parameters parameters;
  std::optional<OnUnknown> on_unknown;
};

// Which rules HygieneException objects may except from a policy, where, and for how long.
struct NamespaceExceptions {
  std::vector<const Rule*> rules;
  std::chrono::seconds longest{0};      // from the exception's creation to its end
  std::vector<std::string> namespaces;  // globs; empty: all
};

enum class ControllerCreated : std::uint8_t { kWarn, kEnforce, kSkip };

struct HygienePolicy {
  std::string name;
  Match match;
  std::vector<Match> exclude;
  std::vector<RuleSetting> rules;  // in the order of all_rules(); none that is off
  std::vector<Exception> exceptions;
  NamespaceExceptions namespace_exceptions;
  bool deny_existing = false;  // existingViolations: deny
  ControllerCreated controller_created = ControllerCreated::kWarn;
  OnUnknown on_unknown;

  // True if the labels of namespaces are needed anywhere in it.
  bool needs_namespace_labels() const;
};

struct PolicySet {
  std::vector<HygienePolicy> policies;
  std::string revision;                 // names this set, for answers and logs
  bool needs_namespace_labels = false;  // any of them does
  bool needs_facts = false;             // a rule of any of them does
};

PolicySet make_policy_set(std::vector<HygienePolicy> policies, std::string revision);

}  // namespace plimsoll::policy
