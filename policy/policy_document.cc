#include "policy/policy_document.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "policy/document_reader.h"
#include "policy/match_reader.h"
#include "policy/parameter_reader.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kApiVersion = "plimsoll.dev/v1alpha1";
constexpr std::string_view kKind = "HygienePolicy";
constexpr std::size_t kMaxNameBytes = 253;  // of an object in Kubernetes

constexpr std::array<std::string_view, 4> kActionWords = {"enforce", "warn", "audit", "off"};
constexpr std::array<Action, 4> kActions = {
    Action::kEnforce, Action::kWarn, Action::kAudit, Action::kOff};
constexpr std::array<std::string_view, 4> kUnknownWords = {"deny", "warn", "audit", "off"};
constexpr std::size_t kOffIndex = 3;

// The rule of that id; a problem at the key or the value where there is none.
const Rule* known_rule(std::string_view id, const Node& node, bool at_key, Problems& problems) {
  const Rule* rule = find_rule(id);
  if (rule != nullptr) return rule;
  std::vector<std::string_view> ids;
  for (const Rule* known : all_rules()) ids.push_back(known->id);
  const std::string near = suggestion(id, ids);
  std::string message = "unknown rule " + policy::quoted(id) +
                        (near.empty() ? "; `plimsoll policy rules` lists the rules" : near);
  if (at_key) {
    problems.at_key(node, std::move(message));
  } else {
    problems.at_value(node, std::move(message));
  }
  return nullptr;
}

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

std::vector<const Rule*> read_rule_ids(const Node& node, Problems& problems) {
  std::vector<const Rule*> rules;
  const std::vector<std::string> ids = read_texts(node, Emptiness::kRefused, problems);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Rule* rule = known_rule(ids[i], node.entry(i, node.value), false, problems);
    if (rule != nullptr) rules.push_back(rule);
  }
  return rules;
}

Exception read_exception(const Node& node, Problems& problems) {
  Exception exception;
  const auto read_rules_of = [&exception, &problems](const Node& member) {
    exception.rules = read_rule_ids(member, problems);
  };
  const auto read_match_of = [&exception, &problems](const Node& member) {
    exception.match = read_match(member, Emptiness::kRefused, problems);
  };
  const auto read_owner = [&exception, &problems](const Node& member) {
    exception.owner = read_text(member, Emptiness::kRefused, problems).value_or("");
  };
  const auto read_reason = [&exception, &problems](const Node& member) {
    exception.reason = read_text(member, Emptiness::kRefused, problems).value_or("");
  };
  const auto read_expires = [&exception, &problems](const Node& member) {
    exception.expires = read_date(member, problems);
  };
  const std::array<Field, 5> fields = {Field{"rules", read_rules_of, true},
                                       Field{"match", read_match_of, true},
                                       Field{"owner", read_owner, true},
                                       Field{"reason", read_reason, true},
                                       Field{"expires", read_expires, true}};
  read_fields(node, fields, problems);
  return exception;
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
  const std::array<Field, 7> fields = {
      Field{"match",
            [&policy, &problems](const Node& n) {
              policy.match = read_match(n, Emptiness::kAllowed, problems);
            }},
      Field{"exclude", read_exclude},
      Field{"rules",
            [&policy, &problems](const Node& n) { policy.rules = read_rules(n, problems); },
            true},
      Field{"exceptions", read_exceptions},
      Field{"existingViolations", read_existing},
      Field{"controllerCreated", read_controllers},
      Field{"onUnknown", [&policy, &problems](const Node& n) {
              policy.on_unknown = read_on_unknown(n, problems);
            }}};
  read_fields(node, fields, problems);
}

bool is_object_name(std::string_view name) {
  const auto is_edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kMaxNameBytes && is_edge(name.front()) &&
         is_edge(name.back()) && std::ranges::all_of(name, [&is_edge](char c) {
           return is_edge(c) || c == '-' || c == '.';
         });
}

// Names are checked; what else the API server keeps there says nothing about the policy.
void read_metadata(const Node& node, HygienePolicy& policy, Problems& problems) {
  const auto read_name = [&policy, &problems](const Node& member) {
    const auto name = read_text(member, Emptiness::kRefused, problems);
    if (!name) return;
    policy.name = *name;
    if (is_object_name(*name)) return;
    problems.at_value(
        member, policy::quoted(*name) + " is not a name: lower-case letters, digits, '-' and '.'");
  };
  const auto ignore = [](const Node&) {};
  std::vector<Field> fields = {{"name", read_name, true}};
  for (const std::string_view key : {"labels",
                                     "annotations",
                                     "namespace",
                                     "creationTimestamp",
                                     "generation",
                                     "managedFields",
                                     "resourceVersion",
                                     "uid"}) {
    fields.push_back({key, ignore});
  }
  read_fields(node, fields, problems);
}

void read_constant(const Node& node, std::string_view wanted, Problems& problems) {
  const auto text = json::as_text(node.value);
  if (!text) return problems.wrong_type(node, policy::quoted(wanted));
  if (*text != wanted) {
    problems.at_value(node, "must be " + policy::quoted(wanted) + ", not " + policy::quoted(*text));
  }
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
            [&policy, &problems](const Node& n) { read_metadata(n, policy, problems); },
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
