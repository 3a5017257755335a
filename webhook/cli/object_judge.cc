#include "webhook/cli/object_judge.h"

#include <algorithm>
#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policy/dates.h"
#include "policy/printable.h"
#include "policy/workload_reader.h"
#include "webhook/facts/gathering.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Action;
using policy::Mode;

ExceptionNote note_of(const policy::Exception& exception, bool expired) {
  return {exception.owner, exception.reason, policy::date_text(exception.expires), expired};
}

Action capped(Action action, Mode mode) {
  if (mode == Mode::kAudit) return std::min(action, Action::kAudit);
  return mode == Mode::kWarn ? std::min(action, Action::kWarn) : action;
}

CheckedFinding malformed_finding(const policy::Malformed& malformed,
                                 const InputObject& input,
                                 Mode mode) {
  const std::string path = policy::printable(policy::field_path(malformed.pointer), 1024);
  CheckedFinding finding;
  finding.rule = "malformed";
  finding.action = capped(Action::kEnforce, mode);
  finding.path = path;
  finding.position =
      input.document.positions.of_value(input.pointer + std::string(malformed.pointer));
  finding.found = "another type";
  finding.limit = malformed.expected;
  finding.message = fmt::format("{} is not {}; the API server will refuse the object",
                                path.empty() ? "this" : path,
                                malformed.expected);
  finding.remedy = fmt::format("write {}", malformed.expected);
  finding.text = fmt::format("{}\n  fix: {}", finding.message, finding.remedy);
  return finding;
}

CheckedFinding checked(const policy::JudgedFinding& judged,
                       const policy::Decision& decision,
                       const InputObject& input) {
  CheckedFinding finding;
  finding.rule = judged.rule->id;
  finding.action = judged.action;
  if (const policy::Container* container = judged.finding.container) {
    if (!container->name.empty()) finding.container = policy::printable(container->name);
    finding.container_class = policy::class_word(container->container_class);
  }
  finding.path = policy::field_path(judged.finding.pointer);
  finding.position = input.document.positions.of_value(input.pointer + judged.finding.pointer);
  finding.found = judged.finding.found;
  finding.limit = judged.finding.limit;
  finding.message = judged.finding.message;
  finding.remedy = judged.remedy;
  finding.text = policy::finding_text(judged);
  finding.policies.assign(judged.policies.begin(), judged.policies.end());
  finding.existing = judged.existing;
  if (judged.finding.unknown) {
    finding.unknown = policy::reason_word(judged.finding.unknown->reason);
  }
  if (judged.exception != nullptr) {
    finding.exception = note_of(*judged.exception, false);
    return finding;
  }
  for (const policy::ExpiredException& expired : decision.expired) {
    const bool same_policy =
        std::ranges::find(judged.policies, expired.policy) != judged.policies.end();
    if (expired.rule == judged.rule && same_policy) {
      finding.exception = note_of(*expired.exception, true);
      break;
    }
  }
  return finding;
}

}  // namespace

ObjectJudge::ObjectJudge(const policy::PolicySet& policies,
                         const NamespaceLabels& namespaces,
                         Mode mode,
                         std::string default_namespace,
                         ImageSource* images)
    : policies_(policies),
      namespaces_(namespaces),
      needs_namespaces_(needs_namespace_objects(policies)),
      default_namespace_(std::move(default_namespace)),
      images_(images) {
  options_.mode = mode;
}

// As the webhook does: what is refused by what is known already is not looked up.
policy::Decision ObjectJudge::decide(const policy::Review& review, std::chrono::sys_seconds now) {
  if (images_ == nullptr) return policy::evaluate(policies_, review, {}, options_, now);
  const policy::FactNeeds needs = policy::facts_needed(policies_, review, options_);
  if (needs.none()) return policy::evaluate(policies_, review, {}, options_, now);
  facts::Gathering gathering(*review.object, needs, images_->service());
  policy::Decision decision = policy::evaluate(policies_, review, gathering.table(), options_, now);
  if (!gathering.is_incomplete() || decision.verdict == policy::Verdict::kDeny) return decision;
  auto ready = std::make_shared<std::promise<void>>();
  std::future<void> all_there = ready->get_future();
  gathering.ask(net::Deadline::in(images_->timeout()), [ready] { ready->set_value(); });
  all_there.wait();
  gathering.take();
  return policy::evaluate(policies_, review, gathering.table(), options_, now);
}

std::expected<CheckedObject, ObjectJudge::Refused> ObjectJudge::judge(
    const InputObject& input, std::chrono::sys_seconds now) {
  const policy::ObjectName name = policy::read_object_name(input.object);
  if (name.kind.empty()) {
    return std::unexpected(
        Refused{Refusal::kNoKind, "no kind, so it is no Kubernetes object; skipped"});
  }
  const policy::WorkloadKind* kind = policy::find_workload_kind(name.api_version, name.kind);
  if (kind == nullptr) return std::unexpected(Refused{});
  arena_.reset();
  const auto workload = policy::read_workload(*kind, input.object, arena_);
  if (!workload) return std::unexpected(Refused{Refusal::kTooLarge, workload.error().message});

  policy::Review review;
  review.operation = policy::Operation::kCreate;
  review.object = &*workload;
  review.name_space =
      workload->name_space.empty() ? std::string_view(default_namespace_) : workload->name_space;
  std::vector<policy::Label> labels;
  if (!namespaces_.find(review.name_space, labels) && needs_namespaces_) {
    return std::unexpected(Refused{
        Refusal::kNamespaceUnknown,
        fmt::format("a policy has a namespaceSelector, but the labels of namespace {} are not "
                    "known; add its Namespace object to the input, or pass --namespaces FILE",
                    policy::quoted(review.name_space))});
  }
  review.namespace_labels = labels;
  const policy::Decision decision = decide(review, now);

  CheckedObject object;
  object.file = input.file;
  object.source = input.document.source;
  object.position = input.document.positions.of_value(input.pointer);
  object.api_version = workload->api_version;
  object.kind = workload->kind;
  object.name_space = review.name_space;
  object.name = workload->name.empty() ? workload->generate_name : workload->name;
  object.verdict = decision.verdict;
  for (const policy::Malformed& malformed : workload->malformed) {
    object.findings.push_back(malformed_finding(malformed, input, options_.mode));
    if (options_.mode == Mode::kEnforce) object.verdict = policy::Verdict::kDeny;
    if (options_.mode == Mode::kWarn) {
      object.verdict = std::max(object.verdict, policy::Verdict::kWarn);
    }
  }
  for (const policy::JudgedFinding& judged : decision.findings) {
    object.findings.push_back(checked(judged, decision, input));
  }
  for (const policy::Rule* rule : decision.not_looked_up)
    object.not_looked_up.emplace_back(rule->id);
  return object;
}

}  // namespace plimsoll::webhook::cli
