#include "webhook/admission/reviewer.h"

#include <optional>
#include <utility>

#include "policy/printable.h"
#include "webhook/admission/uid_scan.h"
#include "webhook/net/answer_text.h"

namespace plimsoll::webhook::admission {

namespace json = policy::json;
using policy::Operation;
using telemetry::FindingResult;
using telemetry::LogLevel;
using telemetry::Result;

namespace {

std::chrono::sys_seconds now_in_seconds() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

// One review on its way.
struct Reviewer::Task {
  WorkspaceLease workspace;
  Envelope envelope;
  const policy::WorkloadKind* kind = nullptr;
  policy::Workload object;
  std::optional<policy::Workload> old_object;
  Response response;
  std::shared_ptr<const policy::PolicySet> policies;
  std::unique_ptr<facts::Gathering> facts;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

// A review that waits for facts.
class Reviewer::Waiting final : public net::PendingAnswer {
 public:
  Waiting(Reviewer& reviewer, std::unique_ptr<Task> task, net::Clock::time_point until)
      : reviewer_(reviewer), task_(std::move(task)), until_(until) {}

  net::Clock::time_point wait_until() const override { return until_; }
  void finish(net::Answer& answer) override {
    Task& task = *task_;
    task.facts->take();
    const policy::Review review = reviewer_.review_of(task);
    reviewer_.decide(task,
                     policy::evaluate(*task.policies,
                                      review,
                                      task.facts->table(),
                                      reviewer_.options_.evaluation,
                                      now_in_seconds()));
    write_response(task.response, answer.body);
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

std::string_view name_of(const Envelope& envelope, const policy::Workload& object) {
  if (!envelope.name.empty()) return envelope.name;
  if (!object.name.empty()) return object.name;
  return object.generate_name.empty() ? std::string_view() : std::string_view("<generated>");
}

std::string rule_list(const policy::Decision& decision) {
  std::string text;
  for (const policy::JudgedFinding* judged : first_of_each_rule(decision)) {
    if (!text.empty()) text += ',';
    text += judged->rule->id;
  }
  return text;
}

// Names in the log are as long as Kubernetes allows, whoever posts the review.
std::string logged(std::string_view name) {
  constexpr std::size_t kMaxNameRunes = 253;
  return policy::printable(name, kMaxNameRunes);
}

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

FindingResult result_of(const policy::JudgedFinding& judged) {
  if (judged.exception != nullptr) return FindingResult::kExcepted;
  if (judged.controller_capped) return FindingResult::kController;
  if (judged.existing && judged.action < judged.policy_action) return FindingResult::kExisting;
  if (judged.action == policy::Action::kEnforce) return FindingResult::kDenied;
  return judged.action == policy::Action::kWarn ? FindingResult::kWarned : FindingResult::kAudited;
}

}  // namespace

Reviewer::Reviewer(const AdmissionOptions& options,
                   const net::Snapshot<policy::PolicySet>& policies,
                   std::function<std::string()> revision,
                   facts::FactsService* facts,
                   telemetry::Log& log,
                   telemetry::Metrics& metrics)
    : options_(options),
      policies_(policies),
      revision_(std::move(revision)),
      facts_(facts),
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
  const net::Clock::time_point now = net::Clock::now();
  const auto in_time = std::max(answer_by - options_.facts_reserve, now);
  const net::Deadline deadline{std::min(in_time, now + options_.facts_budget)};
  task->facts->ask(deadline, wakes.wake());
  // Should the service itself not answer, this wakes up all the same.
  constexpr std::chrono::milliseconds kSlack{50};
  return std::make_unique<Waiting>(*this, std::move(task), deadline.at + kSlack);
}

void Reviewer::parse_failed(simdjson::error_code error,
                            std::string_view body,
                            net::Answer& answer) {
  const bool too_deep = error == simdjson::DEPTH_ERROR;
  const bool no_memory = error == simdjson::MEMALLOC;
  const bool number = error == simdjson::NUMBER_ERROR;
  if (too_deep &&
      refuse(body, Limit::kTooDeep, "the object is nested deeper than 1,024 levels", answer))
    return;
  if (no_memory && refuse(body, Limit::kBudget, "there is no memory to parse it", answer)) return;
  if (number && refuse(body, Limit::kMalformed, "a number in it cannot be read", answer)) return;
  metrics_.count_refused_request(400);
  net::set_refusal(answer, 400, "the body is not valid JSON");
  answer.close = false;
}

bool Reviewer::allowed_by_options(Limit limit) const {
  if (options_.evaluation.mode == policy::Mode::kAudit) return true;
  if (limit == Limit::kLate) return options_.allow_late;
  return limit == Limit::kMalformed ? options_.allow_malformed : options_.allow_over_limit;
}

void Reviewer::limit_response(Limit limit, std::string_view why, Response& response) const {
  response.allowed = allowed_by_options(limit);
  response.annotations = {{"decision", response.allowed ? "allow" : "deny"},
                          {"mode", std::string(policy::mode_word(options_.evaluation.mode))},
                          {"error", std::string(why)}};
  const std::string text = "plimsoll did not judge this object: " + std::string(why);
  if (response.allowed) {
    response.warnings = {policy::printable(text, policy::kMaxWarningRunes - 3)};
    return;
  }
  response.message = text;
  response.code = limit == Limit::kMalformed ? 400 : (limit == Limit::kLate ? 503 : 413);
  response.reason = limit == Limit::kMalformed ? "BadRequest"
                    : limit == Limit::kLate    ? "ServiceUnavailable"
                                               : "RequestEntityTooLarge";
}

bool Reviewer::refuse(std::string_view prefix,
                      Limit limit,
                      std::string_view why,
                      net::Answer& answer) {
  const std::optional<ScannedReview> scanned = scan_review(prefix);
  if (!scanned) return false;
  Response response;
  const bool beta = scanned->api_version == "admission.k8s.io/v1beta1";
  response.api_version = beta ? "admission.k8s.io/v1beta1" : "admission.k8s.io/v1";
  response.uid = scanned->uid;
  limit_response(limit, why, response);
  answer.status = 200;
  answer.content_type = "application/json";
  write_response(response, answer.body);
  metrics_.count_review(
      {.result = limit == Limit::kMalformed ? Result::kMalformed : Result::kLimit}, 0);
  log_.write_limited(LogLevel::kWarn,
                     "not judged",
                     {{"uid", scanned->uid}, {"allowed", response.allowed}, {"why", why}});
  return true;
}

void Reviewer::verdict(Task& task, Limit limit, std::string_view why) {
  limit_response(limit, why, task.response);
  log_.write_limited(LogLevel::kWarn,
                     "not judged",
                     {{"uid", task.envelope.uid},
                      {"namespace", logged(task.envelope.name_space)},
                      {"name", logged(name_of(task.envelope, task.object))},
                      {"allowed", task.response.allowed},
                      {"why", why}});
  finish(task, limit == Limit::kMalformed ? Result::kMalformed : Result::kLimit);
}

void Reviewer::finish(Task& task, Result result) {
  const auto elapsed = std::chrono::steady_clock::now() - task.began;
  metrics_.count_review({.operation = task.envelope.operation,
                         .kind = task.kind,
                         .result = result,
                         .dry_run = task.envelope.dry_run},
                        std::chrono::duration<double>(elapsed).count());
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
  if (!envelope.subresource.empty() && envelope.subresource != "ephemeralcontainers") {
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

bool Reviewer::read_objects(Task& task) {
  const Envelope& envelope = task.envelope;
  policy::Result<policy::Workload> object =
      policy::read_workload(*task.kind, *envelope.object, task.workspace->arena());
  if (!object) {
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
  return review;
}

// What is refused by what is known already is refused at once: nobody is asked.
bool Reviewer::evaluate(Task& task) {
  task.policies = policies_.read();
  const policy::Review review = review_of(task);
  policy::FactTable known;
  if (facts_ != nullptr) {
    const auto needs = policy::facts_needed(*task.policies, review, options_.evaluation);
    if (!needs.none()) {
      task.facts = std::make_unique<facts::Gathering>(task.object, needs, *facts_);
      known = task.facts->table();
    }
  }
  const policy::Decision decision =
      policy::evaluate(*task.policies, review, known, options_.evaluation, now_in_seconds());
  const bool incomplete = task.facts && task.facts->is_incomplete();
  if (incomplete && decision.verdict != policy::Verdict::kDeny) return false;
  decide(task, decision);
  return true;
}

void Reviewer::decide(Task& task, const policy::Decision& decision) {
  if (!decision.findings.empty() || !decision.expired.empty() || decision.old_unreadable) {
    task.response = response_of(decision, options_.evaluation.mode, revision_());
    task.response.api_version = task.envelope.api_version;
    task.response.uid = task.envelope.uid;
    count_findings(task, decision);
    log_decision(task, decision);
  }
  finish(task, result_of(decision.verdict));
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
  const std::string revision = revision_();
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
                      {"policyRevision", revision},
                      {"dryRun", task.envelope.dry_run}});
}

}  // namespace plimsoll::webhook::admission
