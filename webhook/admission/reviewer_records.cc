#include "webhook/admission/reviewer_task.h"

namespace plimsoll::webhook::admission {

using telemetry::FindingResult;
using telemetry::LogLevel;
using telemetry::Result;

namespace {

std::string rule_list(const policy::Decision& decision) {
  std::string text;
  for (const policy::JudgedFinding* judged : first_of_each_rule(decision)) {
    if (!text.empty()) text += ',';
    text += judged->rule->id;
  }
  return text;
}

FindingResult result_of(const policy::JudgedFinding& judged) {
  if (judged.exception != nullptr) return FindingResult::kExcepted;
  if (judged.controller_capped) return FindingResult::kController;
  if (judged.existing && judged.action < judged.policy_action) return FindingResult::kExisting;
  if (judged.action == policy::Action::kEnforce) return FindingResult::kDenied;
  return judged.action == policy::Action::kWarn ? FindingResult::kWarned : FindingResult::kAudited;
}

}  // namespace

void Reviewer::finish(Task& task, Result result) {
  const auto elapsed = std::chrono::steady_clock::now() - task.began;
  metrics_.count_review({.operation = task.envelope.operation,
                         .kind = task.kind,
                         .result = result,
                         .dry_run = task.envelope.dry_run},
                        std::chrono::duration<double>(elapsed).count());
}

void Reviewer::count_findings(const Task& task, const policy::Decision& decision) {
  for (const policy::JudgedFinding& judged : decision.findings) {
    metrics_.count_finding(judged, result_of(judged), task.kind);
    if (judged.finding.unknown) metrics_.count_unknown(judged.finding.unknown->reason);
  }
}

// One line for each denial, and for what was let through although a policy says enforce.
void Reviewer::log_decision(const Task& task, const policy::Decision& decision) {
  bool let_through = false;
  bool audited = false;
  for (const policy::JudgedFinding& judged : decision.findings) {
    let_through = let_through || judged.controller_capped || judged.mode_capped;
    audited = audited || (judged.action == policy::Action::kAudit && judged.exception == nullptr);
  }
  const bool denied = decision.verdict == policy::Verdict::kDeny;
  if (!denied && !let_through && !audited) return;
  const std::string rules = rule_list(decision);
  log_.write_limited(LogLevel::kInfo,
                     denied ? "denied" : (let_through ? "let through" : "audited"),
                     {{"uid", task.envelope.uid},
                      {"namespace", logged(task.envelope.name_space)},
                      {"kind", task.envelope.kind},
                      {"name", logged(name_of(task.envelope, task.object))},
                      {"user", logged(task.envelope.user)},
                      {"rules", rules},
                      {"findings", static_cast<std::int64_t>(decision.findings.size())},
                      {"mode", policy::mode_word(options_.evaluation.mode)},
                      {"policyRevision", task.policies->revision},
                      {"dryRun", task.envelope.dry_run}});
}

}  // namespace plimsoll::webhook::admission
