// Who may break which rule, why, and until when.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "policy/rule.h"
#include "policy/selection.h"

namespace plimsoll::policy {

struct Exception {
  std::vector<const Rule*> rules;
  Match match;
  std::string owner;
  std::string reason;
  std::chrono::sys_days expires;  // the last day on which it applies, UTC

  bool expired(std::chrono::sys_seconds now) const {
    return std::chrono::floor<std::chrono::days>(now) > expires;
  }
};

}  // namespace plimsoll::policy
