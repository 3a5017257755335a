#include "policy/policy_document.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "policy/document_parts.h"
#include "policy/document_reader.h"
#include "policy/match_reader.h"
#include "policy/parameter_reader.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kKind = "HygienePolicy";

constexpr std::array<std::string_view, 4> kActionWords = {"enforce", "warn", "audit", "off"};
constexpr std::array<Action, 4> kActions = {
    Action::kEnforce, Action::kWarn, Action::kAudit, Action::kOff};
constexpr std::array<std::string_view, 4> kUnknownWords = {"deny", "warn", "audit", "off"};
constexpr std::size_t kOffIndex = 3;

OnUnknown read_on_unknown(const Node& node, Problems& problems) {
  OnUnknown on_unknown;
  std::vector<Field> fields;
  const auto field = [&fields, &problems](std::string_view key, Action& action) {
    const auto read = [&action, &problems](const Node& member) {
      const auto at = read_word(member, kUnknownWords, kOffIndex, problems);
      if (at) action = kActions[*at];
    };
    fields.push_back({key, read});
  };
  field("definite", on_unknown.definite);
  field("access", on_unknown.access);
  field("outage", on_unknown.outage);
  field("scan", on_unknown.scan);
  read_fields(node, fields, problems);
  return on_unknown;
}

// One field for each parameter; each reader writes into `values`.
void add_parameter_fields(const Rule& rule,
                          std::vector<ParameterValue>& values,
                          std::vector<Field>& fields,
                          Problems& problems) {
  for (std::size_t i = 0; i < rule.parameters.size(); ++i) {
    const Parameter& parameter = rule.parameters[i];
    const auto read = [&parameter, &value = values[i], &problems](const Node& member) {
      auto given = read_parameter(parameter, member, problems);
      if (given) value = *std::move(given);
    };
    fields.push_back({parameter.name, read});
  }
}

bool is_action_word(const json::Element& value) {
  const auto text = json::as_text(value);
  return text ? std::ranges::find(kActionWords, *text) != kActionWords.end() : value.is_bool();
}

RuleSetting read_setting(const Rule& rule, const Node& node, Problems& problems) {
  RuleSetting setting;
  setting.rule = &rule;
  if (is_action_word(node.value)) {
    const std::string word(json::as_text(node.value).value_or("off"));
    problems.at_value(node, "must be an object; write {action: " + word + "}");
    return setting;
  }
  std::vector<ParameterValue> values = default_values(rule);
  std::vector<Field> fields;
  const auto read_action = [&setting, &problems](const Node& member) {
    const auto at = read_word(member, kActionWords, kOffIndex, problems);
    if (at) setting.action = kActions[*at];
  };
  fields.push_back({"action", read_action});
  fields.push_back({"onUnknown", [&setting, &problems](const Node& member) {
                      setting.on_unknown = read_on_unknown(member, problems);
                    }});
  add_parameter_fields(rule, values, fields, problems);
  read_fields(node, fields, problems);
  const auto object = json::as_object(node.value);
  if (object && !json::last_member(*object, "action")) {
    problems.at_value(node, "the key \"action\" is missing: " + choices_text(kActionWords));
  }
  check_contradictions(rule, values, node, problems);
  setting.parameters = Parameters(std::move(values));
  return setting;
}

std::vector<RuleSetting> read_rules(const Node& node, Problems& problems) {
  std::vector<RuleSetting> settings;
  const auto object = json::as_object(node.value);
  if (object && object->size() == 0) {
    problems.at_value(node, "names no rule; a policy without rules checks nothing");
    return settings;
  }
  const auto read = [&settings, &problems](std::string_view id, const Node& member) {
    const Rule* rule = known_rule(id, member, true, problems);
    if (rule == nullptr) return;
    RuleSetting setting = read_setting(*rule, member, problems);
    if (setting.action != Action::kOff) settings.push_back(std::move(setting));
  };
  read_map(node, read, problems);
  const auto place = [](const RuleSetting& setting) {
    return std::ranges::find(all_rules(), setting.rule) - all_rules().begin();
  };
  std::ranges::sort(settings, {}, place);
  return settings;
}

Exception read_exception(const Node& node, Problems& problems) {
  Exception exception;
  const auto read_rules_of = [&exception, &problems](const Node& member) {
    exception.rules = read_rule_ids(member, problems);
  };
  const auto read_match_of = [&exception, &problems](const Node& member) {
    exception.match = read_match(member, Emptiness::kRefused, problems);
  };
  std::vector<Field> fields = {Field{"rules", read_rules_of, true},
                               Field{"match", read_match_of, true}};
  add_reason_fields(exception, fields, problems);
  read_fields(node, fields, problems);
  return exception;
}

NamespaceExceptions read_namespace_exceptions(const Node& node, Problems& problems) {
  NamespaceExceptions setting;
  const auto read_rules_of = [&setting, &problems](const Node& member) {
    setting.rules = read_rule_ids(member, problems);
  };
  const auto read_longest = [&setting, &problems](const Node& member) {
    const auto span = read_time_span(member, problems);
    setting.longest = span.value_or(std::chrono::seconds(0));
    if (span && span->count() == 0) problems.at_value(member, "must be longer than nothing");
  };
  const auto read_namespaces_of = [&setting, &problems](const Node& member) {
    setting.namespaces = read_namespaces(member, problems);
  };
  const std::array<Field, 3> fields = {Field{"rules", read_rules_of, true},
                                       Field{"longest", read_longest, true},
                                       Field{"namespaces", read_namespaces_of}};
  read_fields(node, fields, problems);
  return setting;
}

void read_spec(const Node& node, HygienePolicy& policy, Problems& problems) {
  static constexpr std::array<std::string_view, 2> kExisting = {"warn", "deny"};
  static constexpr std::array<std::string_view, 3> kControllers = {"warn", "enforce", "skip"};
  const auto read_exclude = [&policy, &problems](const Node& list) {
    const auto read = [&policy, &problems](const Node& entry) {
      policy.exclude.push_back(read_match(entry, Emptiness::kRefused, problems));
    };
    read_list(list, read, problems);
  };
  const auto read_exceptions = [&policy, &problems](const Node& list) {
    const auto read = [&policy, &problems](const Node& entry) {
      policy.exceptions.push_back(read_exception(entry, problems));
    };
    read_list(list, read, problems);
  };
  const auto read_existing = [&policy, &problems](const Node& member) {
    policy.deny_existing = read_word(member, kExisting, std::nullopt, problems) == 1;
  };
  const auto read_controllers = [&policy, &problems](const Node& member) {
    const auto at = read_word(member, kControllers, std::nullopt, problems);
    if (at) policy.controller_created = static_cast<ControllerCreated>(*at);
  };
  const std::array<Field, 8> fields = {
      Field{"match",
            [&policy, &problems](const Node& n) {
              policy.match = read_match(n, Emptiness::kAllowed, problems);
            }},
      Field{"exclude", read_exclude},
      Field{"rules",
            [&policy, &problems](const Node& n) { policy.rules = read_rules(n, problems); },
            true},
      Field{"exceptions", read_exceptions},
      Field{"namespaceExceptions",
            [&policy, &problems](const Node& n) {
              policy.namespace_exceptions = read_namespace_exceptions(n, problems);
            }},
      Field{"existingViolations", read_existing},
      Field{"controllerCreated", read_controllers},
      Field{"onUnknown", [&policy, &problems](const Node& n) {
              policy.on_unknown = read_on_unknown(n, problems);
            }}};
  read_fields(node, fields, problems);
}

}  // namespace

std::expected<HygienePolicy, std::vector<Problem>> parse_policy(const json::Element& document) {
  HygienePolicy policy;
  Problems problems;
  const std::array<Field, 5> fields = {
      Field{"apiVersion",
            [&problems](const Node& n) { read_constant(n, kApiVersion, problems); },
            true},
      Field{"kind", [&problems](const Node& n) { read_constant(n, kKind, problems); }, true},
      Field{"metadata",
            [&policy, &problems](const Node& n) { policy.name = read_metadata(n, problems).name; },
            true},
      Field{"spec", [&policy, &problems](const Node& n) { read_spec(n, policy, problems); }, true},
      Field{"status", [](const Node&) {}}};
  read_fields({document, ""}, fields, problems);
  if (!problems.none()) return std::unexpected(problems.take());
  return policy;
}

Parameters default_parameters(const Rule& rule) {
  return Parameters(default_values(rule));
}

std::expected<Parameters, std::vector<Problem>> parse_parameters(const Rule& rule,
                                                                 std::string_view json_text) {
  json::Parser parser;
  json::Element element;
  const simdjson::padded_string text(json_text);
  if (parser.parse(text).get(element) != simdjson::SUCCESS) {
    return std::unexpected(std::vector<Problem>{{"", false, "not valid JSON"}});
  }
  Problems problems;
  std::vector<ParameterValue> values = default_values(rule);
  std::vector<Field> fields;
  add_parameter_fields(rule, values, fields, problems);
  read_fields({element, ""}, fields, problems);
  check_contradictions(rule, values, {element, ""}, problems);
  if (!problems.none()) return std::unexpected(problems.take());
  return Parameters(std::move(values));
}

}  // namespace plimsoll::policy
