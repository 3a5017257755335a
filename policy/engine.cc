#include "policy/engine.h"

#include <algorithm>
#include <utility>

#include "policy/match.h"

namespace plimsoll::policy {
namespace {

bool key_less(const Finding& a, const Finding& b) {
  return compare_keys(a, b) < 0;
}

Action at_most(Action action, Action cap) {
  return std::min(action, cap);
}

Action cap_of(Mode mode) {
  switch (mode) {
    case Mode::kAudit:
      return Action::kAudit;
    case Mode::kWarn:
      return Action::kWarn;
    case Mode::kEnforce:
      return Action::kEnforce;
  }
  return Action::kEnforce;
}

// One policy's judgement of one review.
class Judge {
 public:
  Judge(const HygienePolicy& policy,
        const Review& review,
        const EvaluationOptions& options,
        std::chrono::sys_seconds now,
        bool by_controller,
        Decision& decision)
      : policy_(policy),
        review_(review),
        options_(options),
        now_(now),
        by_controller_(by_controller),
        decision_(decision) {}

  void run(std::vector<const Container*>& selected);

 private:
  void check(const RuleSetting& setting,
             std::span<const Container* const> selected,
             std::vector<Finding>& findings) const;
  void judge(const RuleSetting& setting, Finding finding);
  const Exception* exception_for(const Rule& rule, const Finding& finding);
  bool existed(const Finding& finding) const;
  void look_at_old(const RuleSetting& setting);

  const HygienePolicy& policy_;
  const Review& review_;
  const EvaluationOptions& options_;
  std::chrono::sys_seconds now_;
  bool by_controller_;
  Decision& decision_;
  std::vector<Finding> old_;  // of the rule that is being judged
};

void Judge::check(const RuleSetting& setting,
                  std::span<const Container* const> selected,
                  std::vector<Finding>& findings) const {
  setting.rule->check({*review_.object, selected, setting.parameters}, findings);
}

// The old object is judged as if it were asked about today.
void Judge::look_at_old(const RuleSetting& setting) {
  old_.clear();
  if (review_.operation != Operation::kUpdate || review_.old_object == nullptr) return;
  Review then = review_;
  then.object = review_.old_object;
  std::vector<const Container*> selected;
  select_containers(policy_, then, *then.object, selected);
  if (selected.empty()) return;
  setting.rule->check({*then.object, selected, setting.parameters}, old_);
  std::ranges::sort(old_, key_less);
}

bool Judge::existed(const Finding& finding) const {
  const auto same = std::ranges::equal_range(old_, finding, key_less);
  return std::ranges::any_of(same, [&](const Finding& old) {
    return !finding.badness || !old.badness || *finding.badness <= *old.badness;
  });
}

const Exception* Judge::exception_for(const Rule& rule, const Finding& finding) {
  const Exception* expired = nullptr;
  for (const Exception& exception : policy_.exceptions) {
    if (!covers(exception, rule, finding, review_)) continue;
    if (!exception.expired(now_)) return &exception;
    expired = &exception;
  }
  const bool told = std::ranges::any_of(decision_.expired, [&](const ExpiredException& other) {
    return other.exception == expired && other.rule == &rule;
  });
  if (expired != nullptr && !told) decision_.expired.push_back({policy_.name, expired, &rule});
  return nullptr;
}

void Judge::judge(const RuleSetting& setting, Finding finding) {
  JudgedFinding judged;
  judged.rule = setting.rule;
  judged.policy_action = setting.action;
  judged.action = setting.action;
  judged.policies.push_back(policy_.name);
  judged.remedy = setting.rule->remedy;
  judged.exception = exception_for(*setting.rule, finding);
  if (judged.exception != nullptr) judged.action = at_most(judged.action, Action::kAudit);
  judged.existing = existed(finding);
  if (judged.existing && !policy_.deny_existing)
    judged.action = at_most(judged.action, Action::kWarn);
  if (by_controller_ && policy_.controller_created == ControllerCreated::kWarn) {
    judged.controller_capped = judged.action > Action::kWarn;
    judged.action = at_most(judged.action, Action::kWarn);
  }
  const Action cap = cap_of(options_.mode);
  judged.mode_capped = judged.action > cap;
  judged.action = at_most(judged.action, cap);
  judged.finding = std::move(finding);
  decision_.findings.push_back(std::move(judged));
}

void Judge::run(std::vector<const Container*>& selected) {
  select_containers(policy_, review_, *review_.object, selected);
  if (selected.empty()) return;
  if (by_controller_ && policy_.controller_created == ControllerCreated::kSkip) {
    decision_.controller_skipped = true;
    return;
  }
  std::vector<Finding> findings;
  for (const RuleSetting& setting : policy_.rules) {
    findings.clear();
    check(setting, selected, findings);
    if (findings.empty()) continue;
    look_at_old(setting);
    for (Finding& finding : findings) judge(setting, std::move(finding));
  }
  merge_equal(
      decision_.findings);  // after each policy, so that memory does not grow with their number
}

}  // namespace

std::vector<std::string> EvaluationOptions::built_in_controllers() {
  std::vector<std::string> users = {"system:kube-controller-manager"};
  for (const char* controller : {"deployment-controller",
                                 "replicaset-controller",
                                 "statefulset-controller",
                                 "daemon-set-controller",
                                 "job-controller",
                                 "cronjob-controller",
                                 "replication-controller"}) {
    users.push_back(std::string("system:serviceaccount:kube-system:") + controller);
  }
  return users;
}

Decision evaluate(const PolicySet& policies,
                  const Review& review,
                  const EvaluationOptions& options,
                  std::chrono::sys_seconds now) {
  Decision decision;
  decision.old_unreadable = review.operation == Operation::kUpdate && review.old_unreadable;
  const bool by_controller =
      review.operation == Operation::kCreate &&
      std::ranges::find(options.controllers, review.user) != options.controllers.end();
  std::vector<const Container*> selected;
  selected.reserve(review.object->containers.size());
  for (const HygienePolicy& policy : policies.policies) {
    Judge(policy, review, options, now, by_controller, decision).run(selected);
  }
  settle(decision);
  return decision;
}

}  // namespace plimsoll::policy
