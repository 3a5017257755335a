#include "policy/namespace_exceptions.h"

#include <algorithm>

#include "policy/dates.h"
#include "policy/pattern.h"

namespace plimsoll::policy {
namespace {

bool is_on(const HygienePolicy& policy, const Rule* rule) {
  return std::ranges::find(policy.rules, rule, &RuleSetting::rule) != policy.rules.end();
}

// The first day that is too late.
std::chrono::sys_days day_after(std::chrono::sys_seconds time) {
  return std::chrono::floor<std::chrono::days>(time) + std::chrono::days(1);
}

std::string listed(const std::vector<const Rule*>& rules) {
  std::string text;
  for (const Rule* rule : rules) {
    if (!text.empty()) text += ", ";
    text += rule->id;
  }
  return text;
}

}  // namespace

ExceptionAnswer answer_exception(const HygienePolicy& policy,
                                 const NamespaceException& wanted,
                                 std::chrono::sys_seconds now) {
  ExceptionAnswer answer;
  const auto& names = wanted.policies;
  if (!names.empty() && std::ranges::find(names, policy.name) == names.end()) return answer;
  const NamespaceExceptions& allowed = policy.namespace_exceptions;
  std::vector<const Rule*> taken;
  std::vector<const Rule*> refused;
  for (const Rule* rule : wanted.exception.rules) {
    if (!is_on(policy, rule)) continue;
    const bool fine = std::ranges::find(allowed.rules, rule) != allowed.rules.end();
    (fine ? taken : refused).push_back(rule);
  }
  if (taken.empty() && refused.empty()) return answer;
  if (!refused.empty()) {
    answer.refused = "policy " + policy.name + " lets no namespace except " + listed(refused);
  }
  if (taken.empty()) return answer;
  if (!allowed.namespaces.empty() && !any_glob_matches(allowed.namespaces, wanted.name_space)) {
    answer.refused = "policy " + policy.name + " lets other namespaces except its rules, not this";
    return answer;
  }
  const std::chrono::sys_seconds created = wanted.created.value_or(now);
  if (wanted.exception.expires >= day_after(created + allowed.longest)) {
    answer.refused = "policy " + policy.name + " lets exceptions last until " +
                     date_text(std::chrono::floor<std::chrono::days>(created + allowed.longest)) +
                     " at most (" + time_span_text(allowed.longest) + " from their creation)";
    return answer;
  }
  answer.taken = wanted.exception;
  answer.taken->rules = std::move(taken);
  return answer;
}

}  // namespace plimsoll::policy
