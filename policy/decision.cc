#include "policy/decision.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace plimsoll::policy {
namespace {

std::size_t rule_order(const Rule* rule) {
  const auto rules = all_rules();
  return static_cast<std::size_t>(std::ranges::find(rules, rule) - rules.begin());
}

// Containers stand in one array in the workload's order, so their addresses tell it; findings about
// the pod as a whole (nullptr) come first.
bool told_before(const JudgedFinding& a, const JudgedFinding& b) {
  if (a.action != b.action) return a.action > b.action;
  if (a.finding.container != b.finding.container) {
    return std::less<>()(a.finding.container, b.finding.container);
  }
  if (a.rule != b.rule) return rule_order(a.rule) < rule_order(b.rule);
  return a.finding.subject < b.finding.subject;
}

std::strong_ordering compare_judged(const JudgedFinding& a, const JudgedFinding& b) {
  if (a.rule != b.rule) return rule_order(a.rule) <=> rule_order(b.rule);
  return compare_keys(a.finding, b.finding);
}

// Of equal findings the first tells most; one that no exception covers tells more than one that is
// covered.
bool merges_before(const JudgedFinding& a, const JudgedFinding& b) {
  if (const auto order = compare_judged(a, b); order != 0) return order < 0;
  if (a.action != b.action) return a.action > b.action;
  if ((a.exception == nullptr) != (b.exception == nullptr)) return a.exception == nullptr;
  return a.policies.front() < b.policies.front();
}

void add_policies(JudgedFinding& to, const JudgedFinding& from) {
  for (const std::string_view policy : from.policies) {
    if (std::ranges::find(to.policies, policy) == to.policies.end()) to.policies.push_back(policy);
  }
}

}  // namespace

void merge_equal(std::vector<JudgedFinding>& findings) {
  if (findings.size() < 2) return;
  std::ranges::sort(findings, merges_before);
  std::size_t last = 0;
  for (std::size_t i = 1; i < findings.size(); ++i) {
    if (compare_judged(findings[last], findings[i]) == 0) {
      add_policies(findings[last], findings[i]);
    } else if (++last != i) {
      findings[last] = std::move(findings[i]);
    }
  }
  findings.resize(last + 1);
}

std::string_view verdict_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllow:
      return "allow";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kDeny:
      return "deny";
  }
  return "deny";
}

std::string_view mode_word(Mode mode) {
  switch (mode) {
    case Mode::kAudit:
      return "audit";
    case Mode::kWarn:
      return "warn";
    case Mode::kEnforce:
      return "enforce";
  }
  return "enforce";
}

void settle(Decision& decision) {
  std::ranges::sort(decision.findings, told_before);
  const Action worst = decision.findings.empty() ? Action::kOff : decision.findings.front().action;
  decision.verdict = worst == Action::kEnforce ? Verdict::kDeny
                     : worst == Action::kWarn  ? Verdict::kWarn
                                               : Verdict::kAllow;
}

}  // namespace plimsoll::policy
