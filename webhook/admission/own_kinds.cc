#include "webhook/admission/own_kinds.h"

#include <chrono>
#include <utility>

#include "policy/exception_document.h"
#include "policy/namespace_exceptions.h"
#include "policy/policy_document.h"
#include "policy/printable.h"
#include "webhook/policy_sources/policy_objects.h"

namespace plimsoll::webhook::admission {
namespace {

namespace json = policy::json;

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
  const bool is_policy = envelope.kind == "HygienePolicy";
  const bool is_exception = envelope.kind == "HygieneException";
  if ((!is_policy && !is_exception) || !envelope.object || has_old_spec(envelope)) return answer;
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
    answer.refusal = std::string(envelope.kind) + " " + policy::printable(envelope.name, 253) +
                     " is wrong: " + policy_sources::problems_text(problems);
  }
  return answer;
}

}  // namespace plimsoll::webhook::admission
