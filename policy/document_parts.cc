#include "policy/document_parts.h"

#include <algorithm>

#include "policy/dates.h"
#include "policy/parameter_reader.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

bool is_object_name(std::string_view name) {
  const auto is_edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kMaxNameBytes && is_edge(name.front()) &&
         is_edge(name.back()) && std::ranges::all_of(name, [&is_edge](char c) {
           return is_edge(c) || c == '-' || c == '.';
         });
}

}  // namespace

// Names are checked; what else the API server keeps there says nothing about the policy.
ObjectMetadata read_metadata(const Node& node, Problems& problems) {
  ObjectMetadata metadata;
  const auto read_name = [&metadata, &problems](const Node& member) {
    const auto name = read_text(member, Emptiness::kRefused, problems);
    if (!name) return;
    metadata.name = *name;
    if (is_object_name(*name)) return;
    problems.at_value(
        member, policy::quoted(*name) + " is not a name: lower-case letters, digits, '-' and '.'");
  };
  const auto ignore = [](const Node&) {};
  const auto read_namespace = [&metadata](const Node& member) {
    metadata.name_space = json::as_text(member.value).value_or("");
  };
  const auto read_created = [&metadata](const Node& member) {
    metadata.created = parse_time(json::as_text(member.value).value_or(""));
  };
  const auto read_generation = [&metadata](const Node& member) {
    metadata.generation = json::as_integer(member.value).value_or(0);
  };
  std::vector<Field> fields = {{"name", read_name, true},
                               {"namespace", read_namespace},
                               {"creationTimestamp", read_created},
                               {"generation", read_generation}};
  for (const std::string_view key : {"labels",
                                     "annotations",
                                     "deletionTimestamp",
                                     "deletionGracePeriodSeconds",
                                     "finalizers",
                                     "generateName",
                                     "ownerReferences",
                                     "selfLink",
                                     "managedFields",
                                     "resourceVersion",
                                     "uid"}) {
    fields.push_back({key, ignore});
  }
  read_fields(node, fields, problems);
  return metadata;
}

void read_constant(const Node& node, std::string_view wanted, Problems& problems) {
  const auto text = json::as_text(node.value);
  if (!text) return problems.wrong_type(node, policy::quoted(wanted));
  if (*text != wanted) {
    problems.at_value(node, "must be " + policy::quoted(wanted) + ", not " + policy::quoted(*text));
  }
}

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

std::vector<const Rule*> read_rule_ids(const Node& node, Problems& problems) {
  std::vector<const Rule*> rules;
  const std::vector<std::string> ids = read_texts(node, Emptiness::kRefused, problems);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Rule* rule = known_rule(ids[i], node.entry(i, node.value), false, problems);
    if (rule != nullptr) rules.push_back(rule);
  }
  return rules;
}

void add_reason_fields(Exception& exception, std::vector<Field>& fields, Problems& problems) {
  const auto read_owner = [&exception, &problems](const Node& member) {
    exception.owner = read_text(member, Emptiness::kRefused, problems).value_or("");
  };
  const auto read_reason = [&exception, &problems](const Node& member) {
    exception.reason = read_text(member, Emptiness::kRefused, problems).value_or("");
  };
  const auto read_expires = [&exception, &problems](const Node& member) {
    exception.expires = read_date(member, problems);
  };
  fields.push_back({"owner", read_owner, true});
  fields.push_back({"reason", read_reason, true});
  fields.push_back({"expires", read_expires, true});
}

}  // namespace plimsoll::policy
