#include "webhook/admission/response.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "policy/dates.h"
#include "policy/printable.h"
#include "webhook/telemetry/json_text.h"

namespace plimsoll::webhook::admission {
namespace {

using policy::Action;
using policy::JudgedFinding;
using telemetry::append_json_string;

void append_causes(const std::vector<Cause>& causes, std::string& out) {
  if (causes.empty()) return;
  out += R"(,"details":{"causes":[)";
  for (std::size_t i = 0; i < causes.size(); ++i) {
    out += i == 0 ? R"({"reason":)" : R"(,{"reason":)";
    append_json_string(out, causes[i].reason);
    out += R"(,"message":)";
    append_json_string(out, causes[i].message);
    out += R"(,"field":)";
    append_json_string(out, causes[i].field);
    out += '}';
  }
  out += "]}";
}

void append_status(const Response& response, std::string& out) {
  out += R"(,"status":{"metadata":{},"status":"Failure","message":)";
  append_json_string(out, response.message);
  out += R"(,"reason":)";
  append_json_string(out, response.reason);
  append_causes(response.causes, out);
  out += R"(,"code":)";
  out += std::to_string(std::clamp(response.code, 400U, 599U));
  out += '}';
}

// At most kMaxAnnotationBytes of printable text, cut between characters.
std::string annotation_text(std::string_view value) {
  constexpr std::string_view kCut = "...";
  std::string text = policy::printable(value, kMaxAnnotationBytes);
  if (text.size() <= kMaxAnnotationBytes) return text;
  std::size_t end = kMaxAnnotationBytes - kCut.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text.append(kCut);
}

void append_annotations(const std::vector<Annotation>& annotations, std::string& out) {
  if (annotations.empty()) return;
  out += R"(,"auditAnnotations":{)";
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, annotations[i].key);
    out += ':';
    append_json_string(out, annotation_text(annotations[i].value));
  }
  out += '}';
}

void append_warnings(const std::vector<std::string>& warnings, std::string& out) {
  if (warnings.empty()) return;
  out += R"(,"warnings":[)";
  for (std::size_t i = 0; i < warnings.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, warnings[i]);
  }
  out += ']';
}

// "image-tag (enforce), resources (warn, existing)".
std::string rules_text(const policy::Decision& decision) {
  std::string text;
  for (const JudgedFinding* judged : first_of_each_rule(decision)) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} ({}", judged->rule->id, policy::action_word(judged->action));
    if (judged->exception != nullptr) text += ", excepted";
    if (judged->existing) text += ", existing";
    if (judged->controller_capped) text += ", controller";
    text += ')';
  }
  return text;
}

std::string exceptions_text(const policy::Decision& decision) {
  std::string text;
  for (const JudgedFinding& judged : decision.findings) {
    if (judged.exception == nullptr || text.size() > kMaxAnnotationBytes) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{}: {} until {}",
                        judged.rule->id,
                        judged.exception->owner,
                        policy::date_text(judged.exception->expires));
  }
  return text;
}

std::vector<Cause> causes_of(const policy::Decision& decision) {
  std::vector<Cause> causes;
  for (const JudgedFinding& judged : decision.findings) {
    if (judged.action != Action::kEnforce || causes.size() == policy::kMaxCauses) break;
    causes.push_back({std::string(judged.rule->id),
                      policy::printable(judged.finding.message, 512),
                      policy::printable(policy::field_path(judged.finding.pointer), 256)});
  }
  return causes;
}

}  // namespace

void write_response(const Response& response, std::string& out) {
  out.assign(R"({"apiVersion":)");
  append_json_string(out, response.api_version);
  out += R"(,"kind":"AdmissionReview","response":{"uid":)";
  append_json_string(out, response.uid);
  out += response.allowed ? R"(,"allowed":true)" : R"(,"allowed":false)";
  if (!response.allowed) append_status(response, out);
  append_annotations(response.annotations, out);
  append_warnings(response.warnings, out);
  out += "}}";
}

std::vector<const JudgedFinding*> first_of_each_rule(const policy::Decision& decision) {
  std::vector<const JudgedFinding*> firsts;
  for (const JudgedFinding& judged : decision.findings) {
    if (std::ranges::find(firsts, judged.rule, &JudgedFinding::rule) != firsts.end()) continue;
    firsts.push_back(&judged);
  }
  return firsts;
}

Response response_of(const policy::Decision& decision,
                     policy::Mode mode,
                     std::string_view revision) {
  Response response;
  response.allowed = decision.verdict != policy::Verdict::kDeny;
  const bool quiet = policy::says_nothing(decision);
  if (quiet) return response;
  response.warnings = policy::warning_lines(decision);
  if (decision.old_unreadable) {
    constexpr const char* kUnreadable =
        "the object as it was before could not be read: every finding counts as new";
    response.warnings.emplace_back(kUnreadable);
  }
  if (decision.namespace_labels_failed) {
    constexpr const char* kUnknownLabels =
        "the labels of the namespace could not be learnt: policies that select by them were "
        "applied "
        "with at most the action of their onUnknown.outage";
    response.warnings.emplace_back(kUnknownLabels);
  }
  if (!response.allowed) {
    response.message = policy::denial_message(decision);
    response.causes = causes_of(decision);
  }
  response.annotations.push_back({"decision", std::string(policy::verdict_word(decision.verdict))});
  response.annotations.push_back({"mode", std::string(policy::mode_word(mode))});
  response.annotations.push_back({"policy-revision", std::string(revision)});
  if (std::string rules = rules_text(decision); !rules.empty()) {
    response.annotations.push_back({"rules", std::move(rules)});
  }
  if (std::string exceptions = exceptions_text(decision); !exceptions.empty()) {
    response.annotations.push_back({"exceptions", std::move(exceptions)});
  }
  return response;
}

}  // namespace plimsoll::webhook::admission
