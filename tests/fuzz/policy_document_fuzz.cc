// Any JSON as a policy: every answer is a policy or a list of problems, each with a message.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policy/json.h"
#include "policy/policy_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace policy = plimsoll::policy;
  policy::json::Parser parser;
  policy::json::Element element;
  const simdjson::padded_string text(std::string_view(reinterpret_cast<const char*>(data), size));
  if (parser.parse(text).get(element) != simdjson::SUCCESS) return 0;
  const auto parsed = policy::parse_policy(element);
  if (parsed) {
    if (parsed->name.empty()) __builtin_trap();
    for (const policy::RuleSetting& setting : parsed->rules) {
      if (setting.rule == nullptr || setting.action == policy::Action::kOff) __builtin_trap();
    }
    return 0;
  }
  if (parsed.error().empty()) __builtin_trap();
  for (const policy::Problem& problem : parsed.error()) {
    if (problem.message.empty()) __builtin_trap();
  }
  return 0;
}
