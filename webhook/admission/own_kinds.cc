#include "webhook/admission/own_kinds.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "policy/exception_document.h"
#include "policy/namespace_exceptions.h"
#include "policy/policy_document.h"
#include "policy/printable.h"
#include "webhook/cluster/partial_object.h"
#include "webhook/cluster/raw_json.h"
#include "webhook/policy_sources/policy_objects.h"

namespace plimsoll::webhook::admission {
namespace {

namespace json = policy::json;

using cluster::raw_member;

constexpr std::string_view kPolicy = "HygienePolicy";
constexpr std::string_view kException = "HygieneException";

bool is_own_kind(std::string_view kind) {
  return kind == kPolicy || kind == kException;
}

std::string refusal_of(const Envelope& envelope, std::string_view why) {
  return fmt::format(
      "{} {} is wrong: {}", envelope.kind, policy::printable(envelope.name, 253), why);
}

// Kinds and names of Kubernetes need no escapes.
std::string_view plain_text(std::string_view raw) {
  const bool is_text = raw.size() >= 2 && raw.starts_with('"');
  return is_text ? raw.substr(1, raw.size() - 2) : std::string_view();
}

void judge_exception(const policy::NamespaceException& wanted,
                     const policy::PolicySet& policies,
                     OwnKindAnswer& answer) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  bool taken = false;
  std::string refused;
  for (const policy::HygienePolicy& policy : policies.policies) {
    const policy::ExceptionAnswer of_policy = policy::answer_exception(policy, wanted, now);
    taken = taken || of_policy.taken;
    if (refused.empty()) refused = of_policy.refused;
  }
  if (!refused.empty()) {
    answer.warnings.push_back("plimsoll: " + refused);
  } else if (!taken) {
    answer.warnings.emplace_back(
        "plimsoll: no policy has one of these rules on, so there is nothing to except");
  }
}

}  // namespace

OwnKindAnswer judge_own_kind(const Envelope& envelope, const policy::PolicySet& policies) {
  OwnKindAnswer answer;
  const bool is_policy = envelope.kind == kPolicy;
  if (!is_own_kind(envelope.kind) || !envelope.object || has_old_spec(envelope)) return answer;
  const simdjson::padded_string text(simdjson::minify(*envelope.object));
  json::Parser parser;
  json::Element root;
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return answer;
  std::vector<policy::Problem> problems;
  if (is_policy) {
    auto parsed = policy::parse_policy(root);
    if (!parsed) problems = std::move(parsed.error());
  } else {
    auto parsed = policy::parse_namespace_exception(root);
    if (!parsed) problems = std::move(parsed.error());
    if (problems.empty()) judge_exception(*parsed, policies, answer);
  }
  if (!problems.empty()) {
    answer.refusal = refusal_of(envelope, policy_sources::problems_text(problems));
  }
  return answer;
}

std::optional<OwnKindAnswer> judge_unreadable(std::string_view body,
                                              const policy::PolicySet& policies) {
  const std::string_view request = raw_member(body, "request");
  const std::string_view asked = raw_member(request, "kind");
  Envelope envelope;
  envelope.kind = plain_text(raw_member(asked, "kind"));
  envelope.name = plain_text(raw_member(request, "name"));
  if (plain_text(raw_member(asked, "group")) != kOwnGroup || !is_own_kind(envelope.kind)) {
    return std::nullopt;
  }
  const std::string_view object = raw_member(request, "object");
  const std::string_view old_object = raw_member(request, "oldObject");
  const std::string_view spec = raw_member(object, "spec");
  const bool is_old = !spec.empty() && spec == raw_member(old_object, "spec");
  if (!object.starts_with('{') || is_old) return OwnKindAnswer();
  const auto partial = cluster::read_partly(object);
  if (!partial || !partial->trouble.empty()) {
    const std::string why = partial ? partial->trouble : "it is not JSON as Kubernetes writes it";
    return OwnKindAnswer{.refusal = refusal_of(envelope, "cannot be read: " + why), .warnings = {}};
  }
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(partial->text);
  if (parser.parse(padded).get(root) == simdjson::SUCCESS) envelope.object = json::as_object(root);
  return judge_own_kind(envelope, policies);
}

void answer_own_kind(OwnKindAnswer own, Response& response) {
  response.warnings = std::move(own.warnings);
  response.allowed = own.refusal.empty();
  if (response.allowed) return;
  response.code = 422;
  response.reason = "Invalid";
  response.message = std::move(own.refusal);
}

}  // namespace plimsoll::webhook::admission
