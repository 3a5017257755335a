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

// What the policy says to a fact that is not known, never more than the rule's own action.
Action action_of(const HygienePolicy& policy, const RuleSetting& setting, const Finding& finding) {
  if (!finding.unknown) return setting.action;
  const OnUnknown& on_unknown = setting.on_unknown ? *setting.on_unknown : policy.on_unknown;
  const Action action = at_most(setting.action, on_unknown.of(class_of(finding.unknown->reason)));
  return finding.in_grace ? at_most(action, Action::kAudit) : action;
}

bool made_by_controller(const Review& review, const EvaluationOptions& options) {
  return review.operation == Operation::kCreate &&
         std::ranges::find(options.controllers, review.user) != options.controllers.end();
}

bool wants_facts(const HygienePolicy& policy) {
  return std::ranges::any_of(
      policy.rules, [](const RuleSetting& setting) { return setting.rule->needs != nullptr; });
}

// The old object had the same container with the same image, this policy concerned it, and the rule
// depended on the image then, too: what it says of the image was so before. A rule that the old
// object satisfied by itself (a probe, a runAsUser) says something new.
bool depended_before(const HygienePolicy& policy,
                     const Review& review,
                     const RuleSetting& setting,
                     const Container& container) {
  if (review.operation != Operation::kUpdate || review.old_object == nullptr) return false;
  Review then = review;
  then.object = review.old_object;
  const auto same = [&container](const Container& old) {
    const bool named = !container.name.empty() ? old.name == container.name
                                               : old.name.empty() && old.index == container.index;
    return named && old.container_class == container.container_class;
  };
  const auto at = std::ranges::find_if(review.old_object->containers, same);
  if (at == review.old_object->containers.end()) return false;
  if (image_subject(*at) != image_subject(container)) return false;
  const RuleInput input{*then.object, {}, setting.parameters};
  return setting.rule->needs(input, *at) != kNoFacts && selects_container(policy, then, *at);
}

// What one policy wants, added to what others want already.
void add_needs(const HygienePolicy& policy,
               const Review& review,
               bool by_controller,
               std::span<const Container* const> selected,
               FactNeeds& needs) {
  const std::size_t count = review.object->containers.size();
  const bool waits = !by_controller || policy.controller_created == ControllerCreated::kEnforce;
  for (const RuleSetting& setting : policy.rules) {
    if (setting.rule->needs == nullptr) continue;
    const RuleInput input{*review.object, selected, setting.parameters};
    bool any = false;
    for (const Container* container : selected) {
      const FactSet facts = setting.rule->needs(input, *container);
      if (facts == kNoFacts || container->image.empty()) continue;
      any = true;
      needs.wanted.resize(count);
      needs.required.resize(count);
      const auto at = static_cast<std::size_t>(container - review.object->containers.data());
      needs.wanted[at] |= facts;
      const bool ask =
          waits && (policy.deny_existing || !depended_before(policy, review, setting, *container));
      if (ask) needs.required[at] |= facts;
    }
    if (!any || setting.rule->compared == nullptr) continue;
    for (std::string& reference : setting.rule->compared(setting.parameters)) {
      if (std::ranges::find(needs.compared, reference) == needs.compared.end()) {
        needs.compared.push_back(std::move(reference));
      }
    }
  }
}

// One policy's judgement of one review.
class Judge {
 public:
  Judge(const HygienePolicy& policy,
        const Review& review,
        const FactTable& facts,
        const EvaluationOptions& options,
        std::chrono::sys_seconds now,
        bool by_controller,
        Decision& decision)
      : policy_(policy),
        review_(review),
        facts_(facts),
        options_(options),
        now_(now),
        by_controller_(by_controller),
        decision_(decision) {}

  void run(std::vector<const Container*>& selected);

 private:
  void check(const RuleSetting& setting,
             std::span<const Container* const> selected,
             std::vector<Finding>& findings);
  void judge(const RuleSetting& setting, Finding finding);
  const Exception* exception_for(const Rule& rule, const Finding& finding);
  bool existed(const RuleSetting& setting, const Finding& finding) const;
  void look_at_old(const RuleSetting& setting);

  const HygienePolicy& policy_;
  const Review& review_;
  const FactTable& facts_;
  const EvaluationOptions& options_;
  std::chrono::sys_seconds now_;
  bool by_controller_;
  bool labels_failed_ = false;  // the policy may not concern this namespace at all
  Decision& decision_;
  std::vector<Finding> old_;  // of the rule that is being judged
  std::vector<const Container*> known_;
};

void Judge::check(const RuleSetting& setting,
                  std::span<const Container* const> selected,
                  std::vector<Finding>& findings) {
  const RuleInput input{*review_.object, selected, setting.parameters, facts_, now_};
  if (setting.rule->needs == nullptr) return setting.rule->check(input, findings);
  known_.clear();
  bool passed_over = false;
  for (const Container* container : selected) {
    const bool known = facts_.find(*review_.object, *container) != nullptr ||
                       setting.rule->needs(input, *container) == kNoFacts;
    if (known) known_.push_back(container);
    passed_over =
        passed_over || (!known && !depended_before(policy_, review_, setting, *container));
  }
  auto& rules = decision_.not_looked_up;
  if (passed_over && std::ranges::find(rules, setting.rule) == rules.end()) {
    rules.push_back(setting.rule);
  }
  if (known_.empty()) return;
  setting.rule->check({*review_.object, known_, setting.parameters, facts_, now_}, findings);
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
  setting.rule->check({*then.object, selected, setting.parameters, {}, now_}, old_);
  std::ranges::sort(old_, key_less);
}

// What depends on an image exists already where the same image was there: nothing is looked up for
// the old object, whose own findings (`old_`) are those that need no facts.
bool Judge::existed(const RuleSetting& setting, const Finding& finding) const {
  if (setting.rule->needs != nullptr) {
    const auto before = [this, &setting](const Container& container) {
      return depended_before(policy_, review_, setting, container);
    };
    const bool so = finding.container != nullptr
                        ? before(*finding.container)
                        : std::ranges::all_of(review_.object->containers, before);
    if (so) return true;
  }
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
  judged.policy_action = action_of(policy_, setting, finding);
  if (judged.policy_action == Action::kOff) return;
  judged.action = judged.policy_action;
  judged.policies.push_back(policy_.name);
  judged.remedy = finding.remedy.empty() ? std::string(setting.rule->remedy) : finding.remedy;
  judged.exception = exception_for(*setting.rule, finding);
  if (judged.exception != nullptr) judged.action = at_most(judged.action, Action::kAudit);
  judged.existing = existed(setting, finding);
  if (judged.existing && !policy_.deny_existing)
    judged.action = at_most(judged.action, Action::kWarn);
  if (by_controller_ && policy_.controller_created == ControllerCreated::kWarn) {
    judged.controller_capped = judged.action > Action::kWarn;
    judged.action = at_most(judged.action, Action::kWarn);
  }
  if (labels_failed_) judged.action = at_most(judged.action, policy_.on_unknown.outage);
  const Action cap = cap_of(options_.mode);
  judged.mode_capped = judged.action > cap;
  judged.action = at_most(judged.action, cap);
  judged.finding = std::move(finding);
  decision_.findings.push_back(std::move(judged));
}

void Judge::run(std::vector<const Container*>& selected) {
  select_containers(policy_, review_, *review_.object, selected);
  if (selected.empty()) return;
  labels_failed_ = review_.namespace_labels_failed && policy_.needs_namespace_labels();
  decision_.namespace_labels_failed = decision_.namespace_labels_failed || labels_failed_;
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

FactNeeds facts_needed(const PolicySet& policies,
                       const Review& review,
                       const EvaluationOptions& options) {
  FactNeeds needs;
  const bool by_controller = made_by_controller(review, options);
  std::vector<const Container*> selected;
  for (const HygienePolicy& policy : policies.policies) {
    if (!wants_facts(policy)) continue;
    if (by_controller && policy.controller_created == ControllerCreated::kSkip) continue;
    select_containers(policy, review, *review.object, selected);
    add_needs(policy, review, by_controller, selected, needs);
  }
  return needs;
}

Decision evaluate(const PolicySet& policies,
                  const Review& review,
                  const FactTable& facts,
                  const EvaluationOptions& options,
                  std::chrono::sys_seconds now) {
  Decision decision;
  decision.old_unreadable = review.operation == Operation::kUpdate && review.old_unreadable;
  const bool by_controller = made_by_controller(review, options);
  std::vector<const Container*> selected;
  selected.reserve(review.object->containers.size());
  for (const HygienePolicy& policy : policies.policies) {
    Judge(policy, review, facts, options, now, by_controller, decision).run(selected);
  }
  settle(decision);
  return decision;
}

}  // namespace plimsoll::policy
