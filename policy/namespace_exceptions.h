// What a policy makes of the exceptions that namespaces ask for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "policy/exception_document.h"
#include "policy/policy_set.h"

namespace plimsoll::policy {

// `taken` and `refused` are both empty where the exception has nothing to do with the policy.
struct ExceptionAnswer {
  std::optional<Exception> taken;  // for the rules that the policy lets a namespace except
  std::string refused;             // a clause; empty: nothing of it was
};

// An exception without a time of creation counts as created at `now`.
ExceptionAnswer answer_exception(const HygienePolicy& policy,
                                 const NamespaceException& wanted,
                                 std::chrono::sys_seconds now);

}  // namespace plimsoll::policy
