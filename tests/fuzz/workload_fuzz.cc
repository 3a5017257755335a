// Any JSON object as every kind of workload, judged by every rule with its defaults.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policy/engine.h"
#include "policy/policy_document.h"
#include "policy/workload_reader.h"

namespace policy = plimsoll::policy;

namespace {

const policy::PolicySet& every_rule() {
  static const policy::PolicySet policies = [] {
    policy::HygienePolicy all;
    all.name = "all";
    for (const policy::Rule* rule : policy::all_rules()) {
      all.rules.push_back({rule, policy::Action::kEnforce, policy::default_parameters(*rule), {}});
    }
    std::vector<policy::HygienePolicy> policies;
    policies.push_back(std::move(all));
    return policy::make_policy_set(std::move(policies), "");
  }();
  return policies;
}

void judge(const policy::Workload& workload, const policy::Workload& old) {
  policy::Review review;
  review.object = &workload;
  review.old_object = &old;
  for (const policy::Operation operation :
       {policy::Operation::kCreate, policy::Operation::kUpdate}) {
    review.operation = operation;
    const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
    const policy::Decision decision = policy::evaluate(every_rule(), review, {}, {}, now);
    const bool denied = decision.verdict == policy::Verdict::kDeny;
    if (denied && policy::denial_message(decision).size() > policy::kMaxMessageBytes) std::abort();
    if (policy::warning_lines(decision).size() > policy::kMaxWarnings) std::abort();
    // An update that changes nothing is never refused.
    if (operation == policy::Operation::kUpdate && &workload == &old && denied) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  policy::json::Parser parser;
  policy::json::Element root;
  const simdjson::padded_string text(reinterpret_cast<const char*>(data), size);
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return 0;
  const auto object = policy::json::as_object(root);
  if (!object) return 0;
  policy::read_object_name(*object);
  policy::Arena arena;
  for (const policy::WorkloadKind& kind : policy::workload_kinds()) {
    const auto workload = policy::read_workload(kind, *object, arena);
    if (!workload) continue;
    for (const policy::Malformed& malformed : workload->malformed) {
      policy::field_path(malformed.pointer);
    }
    judge(*workload, *workload);
  }
  return 0;
}
