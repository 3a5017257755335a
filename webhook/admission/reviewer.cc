#include "webhook/admission/reviewer.h"

#include <optional>
#include <utility>

#include "policy/printable.h"
#include "webhook/admission/own_kinds.h"
#include "webhook/admission/reviewer_task.h"
#include "webhook/net/answer_text.h"

namespace plimsoll::webhook::admission {

namespace json = policy::json;
using policy::Operation;
using telemetry::LogLevel;
using telemetry::Result;

namespace {

std::chrono::sys_seconds now_in_seconds() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

// A review that waits for facts, or for what the cluster knows.
class Reviewer::Waiting final : public net::PendingAnswer {
 public:
  Waiting(Reviewer& reviewer, std::unique_ptr<Task> task, net::Clock::time_point until)
      : reviewer_(reviewer), task_(std::move(task)), until_(until) {}

  net::Clock::time_point wait_until() const override { return until_; }
  std::unique_ptr<net::PendingAnswer> finish(net::Answer& answer, net::WakeSource& wakes) override {
    Task& task = *task_;
    if (task.facts) {
      task.facts->take();
      reviewer_.decide(task, reviewer_.decision_of(task, task.facts->table()));
    } else if (!reviewer_.evaluate(task)) {
      return reviewer_.answer_later(std::move(task_), wakes);
    }
    write_response(task.response, answer.body);
    return nullptr;
  }

 private:
  Reviewer& reviewer_;
  std::unique_ptr<Task> task_;
  net::Clock::time_point until_;
};

namespace {

constexpr std::size_t kNotedSubresource = 0;
constexpr std::size_t kNotedKind = 1;
constexpr std::size_t kNotedOperation = 2;  // and DELETE, CONNECT behind it

Result result_of(policy::Verdict verdict) {
  switch (verdict) {
    case policy::Verdict::kAllow:
      return Result::kAllow;
    case policy::Verdict::kWarn:
      return Result::kWarn;
    case policy::Verdict::kDeny:
      return Result::kDeny;
  }
  return Result::kDeny;
}

}  // namespace

Reviewer::Reviewer(const AdmissionOptions& options,
                   const net::Snapshot<policy::PolicySet>& policies,
                   facts::FactsService* facts,
                   ClusterSources cluster,
                   telemetry::Log& log,
                   telemetry::Metrics& metrics)
    : options_(options),
      policies_(policies),
      facts_(facts),
      cluster_(cluster),
      log_(log),
      metrics_(metrics) {}

std::unique_ptr<net::PendingAnswer> Reviewer::review(std::string_view body,
                                                     net::Clock::time_point answer_by,
                                                     net::Answer& answer,
                                                     net::WakeSource& wakes) {
  auto task = std::make_unique<Task>();
  json::Element root;
  const auto error = task->workspace->parser.parse(body.data(), body.size(), false).get(root);
  if (error != simdjson::SUCCESS) {
    parse_failed(error, body, answer);
    return nullptr;
  }
  auto envelope = read_envelope(root);
  if (!envelope) {
    metrics_.count_refused_request(400);
    net::set_refusal(answer, 400, envelope.error());
    answer.close = false;  // the body has been read: the connection is as good as before
    return nullptr;
  }
  task->envelope = *envelope;
  task->response.api_version = task->envelope.api_version;
  task->response.uid = task->envelope.uid;
  if (judge(*task)) {
    write_response(task->response, answer.body);
    return nullptr;
  }
  task->answer_by = answer_by;
  return answer_later(std::move(task), wakes);
}

// Within one review's time, whatever it waits for, and however often.
std::unique_ptr<net::PendingAnswer> Reviewer::answer_later(std::unique_ptr<Task> task,
                                                           net::WakeSource& wakes) {
  const net::Clock::time_point now = net::Clock::now();
  const auto in_time = std::max(task->answer_by - options_.facts_reserve, now);
  net::Deadline deadline{std::min(in_time, now + options_.facts_budget)};
  if (task->facts) {
    task->facts->ask(deadline, wakes.wake());
  } else {
    // The cluster answers at once or not at all: most of the time is left for registries.
    deadline.at = std::min(deadline.at, now + (deadline.at - now) / 2);
    task->circumstances.ask(cluster_, deadline, wakes.wake());
  }
  // Should the service itself not answer, this wakes up all the same.
  constexpr std::chrono::milliseconds kSlack{50};
  return std::make_unique<Waiting>(*this, std::move(task), deadline.at + kSlack);
}

// Said once each, since only a webhook configuration that is too wide can cause them.
void Reviewer::note_once(const Task& task, std::size_t what, std::string_view event) {
  if (noted_[what].exchange(true)) return;
  log_.write(LogLevel::kWarn,
             event,
             {{"operation", policy::printable(task.envelope.operation_word, 32)},
              {"subresource", policy::printable(task.envelope.subresource, 64)},
              {"kind", policy::printable(task.envelope.kind, 64)}});
}

// What hygiene has no business with, should the webhook be registered for it.
bool Reviewer::passes_unjudged(Task& task) {
  const Envelope& envelope = task.envelope;
  if (envelope.operation != Operation::kCreate && envelope.operation != Operation::kUpdate) {
    const auto operation = static_cast<std::size_t>(envelope.operation);
    note_once(task, kNotedOperation + operation, "operation let through without a look");
    return true;
  }
  const std::string_view subresource = envelope.subresource;
  const bool is_judged =
      subresource.empty() || subresource == "ephemeralcontainers" || subresource == "resize";
  if (!is_judged) {
    note_once(task, kNotedSubresource, "subresource let through without a look");
    return true;
  }
  if (task.kind != nullptr) return false;
  note_once(task, kNotedKind, "kind let through without a look");
  task.response.warnings = {"plimsoll: unsupported kind " + policy::printable(envelope.kind, 64) +
                            ": no pods are known in it, and nothing was checked"};
  return true;
}

bool Reviewer::judge(Task& task) {
  const Envelope& envelope = task.envelope;
  if (!envelope.fault.empty()) {
    verdict(task, Limit::kMalformed, envelope.fault);
    return true;
  }
  if (envelope.group == kOwnGroup) {
    judge_own(task);
    return true;
  }
  task.kind = policy::find_workload_kind_of_group(envelope.group, envelope.kind);
  if (passes_unjudged(task)) {
    finish(task, Result::kIgnored);
    return true;
  }
  if (!envelope.object) {
    verdict(task, Limit::kMalformed, "request.object is missing");
    return true;
  }
  return !read_objects(task) || evaluate(task);
}

void Reviewer::judge_own(Task& task) {
  OwnKindAnswer own = judge_own_kind(task.envelope, *policies_.read());
  answer_own_kind(std::move(own), task.response);
  finish(task, task.response.allowed ? Result::kAllow : Result::kDeny);
}

bool Reviewer::read_objects(Task& task) {
  const Envelope& envelope = task.envelope;
  policy::Result<policy::Workload> object =
      policy::read_workload(*task.kind, *envelope.object, task.workspace->arena());
  if (!object) {
    if (has_old_spec(envelope)) {
      task.response.warnings = {"plimsoll did not judge this object: " + object.error().message};
      finish(task, Result::kAllow);
      return false;
    }
    verdict(task, Limit::kTooMany, object.error().message);
    return false;
  }
  task.object = *object;
  if (!object->kind.empty() && object->kind != envelope.kind) {
    verdict(task, Limit::kMalformed, "request.object is of another kind than request.kind");
    return false;
  }
  if (!object->malformed.empty()) {
    const policy::Malformed& first = object->malformed.front();
    const std::string why = policy::printable(policy::field_path(first.pointer), 256) +
                            " must be " + std::string(first.expected);
    verdict(task, Limit::kMalformed, why);
    return false;
  }
  if (envelope.operation != Operation::kUpdate || !envelope.old_object) return true;
  const auto old = policy::read_workload(*task.kind, *envelope.old_object, task.workspace->arena());
  task.envelope.old_unreadable = !old;
  if (old) task.old_object = *old;
  return true;
}

policy::Review Reviewer::review_of(const Task& task) const {
  policy::Review review;
  review.operation = task.envelope.operation;
  review.subresource = task.envelope.subresource;
  review.user = task.envelope.user;
  review.name_space = task.envelope.name_space;
  review.object = &task.object;
  review.old_object = task.old_object ? &*task.old_object : nullptr;
  review.old_unreadable = task.envelope.old_unreadable;
  review.dry_run = task.envelope.dry_run;
  task.circumstances.tell(review);
  return review;
}

policy::Decision Reviewer::decision_of(const Task& task, const policy::FactTable& facts) const {
  return policy::evaluate(
      *task.policies, review_of(task), facts, options_.evaluation, now_in_seconds());
}

bool Reviewer::evaluate(Task& task) {
  if (!task.policies) task.policies = policies_.read();
  const bool known =
      task.circumstances.look(cluster_, *task.policies, task.object, task.envelope.name_space);
  return known && evaluate_known(task);
}

// What is refused by what is known already is refused at once: nobody is asked.
bool Reviewer::evaluate_known(Task& task) {
  policy::FactTable known;
  if (facts_ != nullptr) {
    const auto needs = policy::facts_needed(*task.policies, review_of(task), options_.evaluation);
    if (!needs.none()) {
      task.facts = std::make_unique<facts::Gathering>(
          task.object, needs, *facts_, task.circumstances.credentials());
      known = task.facts->table();
    }
  }
  const policy::Decision decision = decision_of(task, known);
  const bool incomplete = task.facts && task.facts->is_incomplete();
  if (incomplete && decision.verdict != policy::Verdict::kDeny) return false;
  decide(task, decision);
  return true;
}

void Reviewer::decide(Task& task, const policy::Decision& decision) {
  if (!policy::says_nothing(decision)) {
    task.response = response_of(decision, options_.evaluation.mode, task.policies->revision);
    task.response.api_version = task.envelope.api_version;
    task.response.uid = task.envelope.uid;
    count_findings(task, decision);
    log_decision(task, decision);
  }
  finish(task, result_of(decision.verdict));
}

}  // namespace plimsoll::webhook::admission
