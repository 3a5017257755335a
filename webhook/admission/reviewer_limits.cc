#include <utility>

#include "webhook/admission/own_kinds.h"
#include "webhook/admission/reviewer_task.h"
#include "webhook/admission/uid_scan.h"
#include "webhook/net/answer_text.h"

namespace plimsoll::webhook::admission {

using telemetry::LogLevel;
using telemetry::Result;

namespace {

Response response_to(const ScannedReview& scanned) {
  const bool beta = scanned.api_version == "admission.k8s.io/v1beta1";
  Response response;
  response.api_version = beta ? "admission.k8s.io/v1beta1" : "admission.k8s.io/v1";
  response.uid = scanned.uid;
  return response;
}

void write(const Response& response, net::Answer& answer) {
  answer.status = 200;
  answer.content_type = "application/json";
  write_response(response, answer.body);
}

}  // namespace

// The mode is about workloads; a policy that nobody can read is a mistake in any.
bool Reviewer::answer_own(std::string_view body, net::Answer& answer) {
  auto own = judge_unreadable(body, *policies_.read());
  const std::optional<ScannedReview> scanned = own ? scan_review(body) : std::nullopt;
  if (!scanned) return false;
  Response response = response_to(*scanned);
  answer_own_kind(*std::move(own), response);
  write(response, answer);
  metrics_.count_review({.result = response.allowed ? Result::kAllow : Result::kMalformed}, 0);
  log_.write_limited(
      LogLevel::kWarn,
      "not read",
      {{"uid", scanned->uid}, {"allowed", response.allowed}, {"why", response.message}});
  return true;
}

void Reviewer::parse_failed(simdjson::error_code error,
                            std::string_view body,
                            net::Answer& answer) {
  const bool too_deep = error == simdjson::DEPTH_ERROR;
  const bool no_memory = error == simdjson::MEMALLOC;
  const bool number = error == simdjson::NUMBER_ERROR;
  if ((too_deep || number) && answer_own(body, answer)) return;
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
  Response response = response_to(*scanned);
  limit_response(limit, why, response);
  write(response, answer);
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

}  // namespace plimsoll::webhook::admission
