#include "policy/match_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "policy/parameter_reader.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::size_t kMaxLabelBytes = 63;    // of a label's name and of its value
constexpr std::size_t kMaxPrefixBytes = 253;  // of a label key's prefix, of an API group

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}

bool is_label_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabelBytes && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_dns_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPrefixBytes &&
         (is_lower(text.front()) || is_digit(text.front())) &&
         (is_lower(text.back()) || is_digit(text.back())) && std::ranges::all_of(text, [](char c) {
           return is_lower(c) || is_digit(c) || c == '-' || c == '.';
         });
}

// "v1", "v2beta3": what stands before the slash of a core apiVersion.
bool is_version(std::string_view text) {
  return text.size() >= 2 && text[0] == 'v' && is_digit(text[1]);
}

bool is_label_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return is_label_name(key);
  return is_dns_name(key.substr(0, slash)) && is_label_name(key.substr(slash + 1));
}

bool is_kind(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabelBytes && is_upper(text.front()) &&
         std::ranges::all_of(text, is_alphanumeric);
}

std::optional<KindPattern> read_kind(const Node& node, std::string_view text, Problems& problems) {
  const std::size_t slash = text.rfind('/');
  const std::string_view kind = slash == std::string_view::npos ? text : text.substr(slash + 1);
  if (!is_kind(kind)) {
    problems.at_value(node,
                      policy::quoted(text) +
                          " is not a kind; write Kind or group/Kind, like Deployment or "
                          "apps/StatefulSet (the singular, no patterns)");
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return KindPattern{std::nullopt, std::string(kind)};
  const std::string_view group = text.substr(0, slash);
  if (is_version(group) || group == "core") {
    problems.at_value(
        node, policy::quoted(text) + ": the core group has no name; write " + policy::quoted(kind));
    return std::nullopt;
  }
  if (!is_dns_name(group)) {
    problems.at_value(node, policy::quoted(text) + " is not group/Kind (without the version)");
    return std::nullopt;
  }
  return KindPattern{std::string(group), std::string(kind)};
}

std::vector<KindPattern> read_kinds(const Node& node, Problems& problems) {
  std::vector<KindPattern> kinds;
  const std::vector<std::string> texts = read_texts(node, Emptiness::kRefused, problems);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto kind = read_kind(node.entry(i, node.value), texts[i], problems);
    if (kind) kinds.push_back(*std::move(kind));
  }
  return kinds;
}

void check_label_key(const Node& node, std::string_view key, Problems& problems) {
  if (is_label_key(key)) return;
  problems.at_key(node, policy::quoted(key) + " is not a label key");
}

std::optional<std::string> read_label_value(const Node& node, Problems& problems) {
  std::optional<std::string> value = read_text(node, Emptiness::kAllowed, problems);
  if (value && !value->empty() && !is_label_name(*value)) {
    problems.at_value(node, policy::quoted(*value) + " is not a label value");
    return std::nullopt;
  }
  return value;
}

void read_match_labels(const Node& node, LabelSelector& selector, Problems& problems) {
  const auto read = [&selector, &problems](std::string_view key, const Node& member) {
    check_label_key(member, key, problems);
    std::optional<std::string> value = read_label_value(member, problems);
    if (!value) return;
    selector.requirements.push_back({std::string(key), LabelOperator::kIn, {*std::move(value)}});
  };
  read_map(node, read, problems);
}

void check_values(const Node& node, const LabelRequirement& requirement, Problems& problems) {
  const bool wants_values =
      requirement.op == LabelOperator::kIn || requirement.op == LabelOperator::kNotIn;
  if (wants_values && requirement.values.empty()) {
    problems.at_value(node, "In and NotIn need values");
  } else if (!wants_values && !requirement.values.empty()) {
    problems.at_value(node, "Exists and DoesNotExist take no values");
  }
}

LabelRequirement read_requirement(const Node& node, Problems& problems) {
  static constexpr std::array<std::string_view, 4> kOperators = {
      "In", "NotIn", "Exists", "DoesNotExist"};
  LabelRequirement requirement;
  bool complete = true;
  const auto read_key = [&requirement, &problems](const Node& member) {
    requirement.key = read_text(member, Emptiness::kRefused, problems).value_or("");
    if (!requirement.key.empty() && !is_label_key(requirement.key)) {
      problems.at_value(member, policy::quoted(requirement.key) + " is not a label key");
    }
  };
  const auto read_operator = [&requirement, &complete, &problems](const Node& member) {
    const auto at = read_word(member, kOperators, std::nullopt, problems);
    complete = complete && at.has_value();
    if (at) requirement.op = static_cast<LabelOperator>(*at);
  };
  const auto read_values = [&requirement, &complete, &problems](const Node& member) {
    const auto read = [&requirement, &complete, &problems](const Node& entry) {
      std::optional<std::string> value = read_label_value(entry, problems);
      complete = complete && value.has_value();
      if (value) requirement.values.push_back(*std::move(value));
    };
    read_list(member, read, problems);
  };
  const std::array<Field, 3> fields = {Field{"key", read_key, true},
                                       Field{"operator", read_operator, true},
                                       Field{"values", read_values}};
  read_fields(node, fields, problems);
  if (complete && !requirement.key.empty()) check_values(node, requirement, problems);
  return requirement;
}

}  // namespace

std::vector<std::string> read_namespaces(const Node& node, Problems& problems) {
  std::vector<std::string> globs = read_texts(node, Emptiness::kRefused, problems);
  const auto may_be_in_one = [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '*' || c == '?';
  };
  for (std::size_t i = 0; i < globs.size(); ++i) {
    if (std::ranges::all_of(globs[i], may_be_in_one)) continue;
    problems.at_value(node.entry(i, node.value),
                      policy::quoted(globs[i]) +
                          " can match no namespace: they have lower-case letters, digits and '-'; "
                          "'*' and '?' are the wildcards");
  }
  return globs;
}

LabelSelector read_label_selector(const Node& node, Problems& problems) {
  LabelSelector selector;
  const auto read_labels = [&selector, &problems](const Node& member) {
    read_match_labels(member, selector, problems);
  };
  const auto read_expressions = [&selector, &problems](const Node& member) {
    const auto read = [&selector, &problems](const Node& entry) {
      selector.requirements.push_back(read_requirement(entry, problems));
    };
    read_list(member, read, problems);
  };
  const std::array<Field, 2> fields = {Field{"matchLabels", read_labels},
                                       Field{"matchExpressions", read_expressions}};
  read_fields(node, fields, problems);
  return selector;
}

Match read_match(const Node& node, Emptiness empty, Problems& problems) {
  Match match;
  const auto object = json::as_object(node.value);
  if (object && object->size() == 0 && empty == Emptiness::kRefused) {
    problems.at_value(node,
                      "selects everything; name at least one of namespaces, namespaceSelector, "
                      "kinds, names, labelSelector, images");
    return match;
  }
  const std::array<Field, 6> fields = {
      Field{
          "namespaces",
          [&match, &problems](const Node& n) { match.namespaces = read_namespaces(n, problems); }},
      Field{"namespaceSelector",
            [&match, &problems](const Node& n) {
              match.namespace_selector = read_label_selector(n, problems);
            }},
      Field{"kinds", [&match, &problems](const Node& n) { match.kinds = read_kinds(n, problems); }},
      Field{"names",
            [&match, &problems](const Node& n) {
              match.names = read_texts(n, Emptiness::kRefused, problems);
            }},
      Field{"labelSelector",
            [&match, &problems](const Node& n) {
              match.label_selector = read_label_selector(n, problems);
            }},
      Field{"images", [&match, &problems](const Node& n) {
              match.images = read_image_patterns(n, Emptiness::kRefused, problems);
            }}};
  read_fields(node, fields, problems);
  return match;
}

}  // namespace plimsoll::policy
