#include "policy/parameter_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "policy/dates.h"
#include "policy/image_facts.h"
#include "policy/image_reference.h"
#include "policy/printable.h"
#include "policy/quantity.h"

namespace plimsoll::policy {
namespace {

std::optional<ParameterValue> read_integer(const Parameter& parameter,
                                           const Node& node,
                                           Problems& problems) {
  const auto number = json::as_integer(node.value);
  if (!number) {
    problems.wrong_type(node, "a whole number");
    return std::nullopt;
  }
  if (*number < parameter.minimum || *number > parameter.maximum) {
    std::string message = "must be at least " + std::to_string(parameter.minimum);
    if (parameter.maximum != std::numeric_limits<std::int64_t>::max()) {
      message += " and at most " + std::to_string(parameter.maximum);
    }
    problems.at_value(node, message + ", not " + std::to_string(*number));
    return std::nullopt;
  }
  return *number;
}

std::vector<std::string> read_choices(const Parameter& parameter,
                                      const Node& node,
                                      Problems& problems) {
  std::vector<std::string> chosen;
  const auto read = [&chosen, &parameter, &problems](const Node& entry) {
    const auto at = read_word(entry, parameter.choices, std::nullopt, problems);
    if (!at) return;
    std::string word(parameter.choices[*at]);
    if (std::ranges::find(chosen, word) != chosen.end()) {
      problems.at_value(entry, policy::quoted(word) + " is here twice; remove one");
    } else {
      chosen.push_back(std::move(word));
    }
  };
  read_list(node, read, problems);
  return chosen;
}

QuantityMap read_quantities(const Node& node, Problems& problems) {
  QuantityMap quantities;
  const auto read = [&quantities, &problems](std::string_view name, const Node& member) {
    std::string text;
    if (const auto written = json::as_text(member.value)) {
      text = *written;
    } else if (member.value.is_number()) {
      text = simdjson::minify(member.value);
    } else {
      return problems.wrong_type(member, "a quantity like 500m or 1Gi");
    }
    const auto value = parse_quantity(text);
    if (!value || value->nano < 0) {
      return problems.at_value(member,
                               "not a quantity: " + policy::quoted(text) + "; write 500m or 1Gi");
    }
    quantities.push_back({std::string(name), std::move(text), *value});
  };
  read_map(node, read, problems);
  return quantities;
}

// null says "none" wherever a limit may be absent.
// No limit: null, or the word, since kubectl apply drops a null before anybody sees it.
bool is_none(const Node& node) {
  return node.value.is_null() || json::as_text(node.value) == "none";
}

std::optional<ParameterValue> read_count(const Parameter& parameter,
                                         const Node& node,
                                         Problems& problems) {
  if (is_none(node)) return std::optional<std::int64_t>();
  const auto read = read_integer(parameter, node, problems);
  if (!read) return std::nullopt;
  return std::optional<std::int64_t>(std::get<std::int64_t>(*read));
}

std::optional<ParameterValue> read_optional_quantity(ParameterKind kind,
                                                     const Node& node,
                                                     Problems& problems) {
  if (is_none(node)) return OptionalQuantity();
  const bool size = kind == ParameterKind::kSize;
  std::string text;
  if (const auto written = json::as_text(node.value)) {
    text = *written;
  } else if (node.value.is_number()) {
    text = simdjson::minify(node.value);
  } else {
    problems.wrong_type(node, size ? "a size like 500Mi or 950M" : "a number like 0.09");
    return std::nullopt;
  }
  const auto value = parse_quantity(text);
  if (value && value->nano >= 0) return OptionalQuantity({std::move(text), *value});
  problems.at_value(node,
                    (size ? "not a size: " : "not a number from 0: ") + policy::quoted(text) +
                        (size ? "; write 500Mi or 950M" : "; write 0.09"));
  return std::nullopt;
}

std::optional<ParameterValue> read_duration(const Node& node, Problems& problems) {
  if (is_none(node)) return std::optional<std::chrono::seconds>();
  const auto span = read_time_span(node, problems);
  if (!span) return std::nullopt;
  return span;
}

std::vector<std::string> read_platforms(const Node& node, Problems& problems) {
  std::vector<std::string> words = read_texts(node, Emptiness::kRefused, problems);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (parse_platform(words[i])) continue;
    problems.at_value(node.entry(i, node.value),
                      policy::quoted(words[i]) + " is no platform; write linux/amd64");
  }
  return words;
}

std::vector<IgnoredId> read_ignored(const Node& node, Problems& problems) {
  std::vector<IgnoredId> ignored;
  const auto read = [&ignored, &problems](const Node& entry) {
    IgnoredId id;
    const std::array<Field, 3> fields = {
        Field{"id",
              [&id, &problems](const Node& n) {
                id.id = read_text(n, Emptiness::kRefused, problems).value_or("");
              },
              true},
        Field{"reason",
              [&id, &problems](const Node& n) {
                id.reason = read_text(n, Emptiness::kRefused, problems).value_or("");
              },
              true},
        Field{"expires",
              [&id, &problems](const Node& n) { id.expires = read_date(n, problems); },
              true}};
    read_fields(entry, fields, problems);
    ignored.push_back(std::move(id));
  };
  read_list(node, read, problems);
  return ignored;
}

// The parameter of that name and kind in `values`; nullptr where the rule has none.
template <class T>
const T* value_of(const Rule& rule,
                  const std::vector<ParameterValue>& values,
                  std::string_view name) {
  for (std::size_t i = 0; i < rule.parameters.size(); ++i) {
    if (rule.parameters[i].name == name) return std::get_if<T>(&values[i]);
  }
  return nullptr;
}

void check_range(const Rule& rule,
                 const std::vector<ParameterValue>& values,
                 const Node& node,
                 Problems& problems) {
  const auto* minimum = value_of<QuantityMap>(rule, values, "minimum");
  const auto* maximum = value_of<QuantityMap>(rule, values, "maximum");
  if (minimum == nullptr || maximum == nullptr) return;
  for (const NamedQuantity& low : *minimum) {
    for (const NamedQuantity& high : *maximum) {
      if (low.name != high.name || low.value <= high.value) continue;
      problems.at_value(node.member("minimum", node.value).member(low.name, node.value),
                        "the minimum of " + policy::quoted(low.name) + " (" + low.text +
                            ") is above its maximum (" + high.text + ")");
    }
  }
}

void check_lists(const Rule& rule,
                 const std::vector<ParameterValue>& values,
                 const Node& node,
                 Problems& problems) {
  const auto* allow = value_of<std::vector<std::string>>(rule, values, "allow");
  const auto* deny = value_of<std::vector<std::string>>(rule, values, "deny");
  if (allow == nullptr || deny == nullptr) return;
  for (std::size_t i = 0; i < deny->size(); ++i) {
    if (std::ranges::find(*allow, (*deny)[i]) == allow->end()) continue;
    problems.at_value(node.member("deny", node.value).entry(i, node.value),
                      policy::quoted((*deny)[i]) + " is both in allow and in deny; remove one");
  }
}

void check_ratio(const Rule& rule,
                 const std::vector<ParameterValue>& values,
                 const Node& node,
                 Problems& problems) {
  const auto* ratios = value_of<QuantityMap>(rule, values, "ratio");
  if (ratios == nullptr) return;
  const Quantity one = parse_quantity("1").value_or(Quantity{});
  for (const NamedQuantity& ratio : *ratios) {
    if (ratio.value >= one) continue;
    problems.at_value(node.member("ratio", node.value).member(ratio.name, node.value),
                      "a ratio of limit to request below 1 can never be kept: " + ratio.text);
  }
}

}  // namespace

std::vector<std::string> read_image_patterns(const Node& node,
                                             Emptiness empty,
                                             Problems& problems) {
  std::vector<std::string> patterns = read_texts(node, empty, problems);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    std::string& pattern = patterns[i];
    const Node entry = node.entry(i, node.value);
    if (pattern.find("://") != std::string::npos) {
      problems.at_value(entry,
                        policy::quoted(pattern) + " has a scheme; write host/path without it");
    } else if (pattern.find_first_of(" \t\r\n") != std::string::npos) {
      problems.at_value(entry, policy::quoted(pattern) + " has blanks; images have none");
    } else {
      pattern = normalised_image_pattern(pattern);
    }
  }
  return patterns;
}

std::optional<std::chrono::seconds> read_time_span(const Node& node, Problems& problems) {
  const auto text = json::as_text(node.value);
  if (!text) {
    problems.wrong_type(node, "a duration like 168h or 30d");
    return std::nullopt;
  }
  const auto span = parse_time_span(*text);
  if (!span) {
    problems.at_value(node, "not a duration: " + policy::quoted(*text) + "; write 168h or 30d");
  }
  return span;
}

std::chrono::sys_days read_date(const Node& node, Problems& problems) {
  const auto text = json::as_text(node.value);
  const auto date = text ? parse_date(*text) : std::nullopt;
  if (!date) problems.at_value(node, "must be a day that exists, written like 2027-01-31");
  return date.value_or(std::chrono::sys_days());
}

std::optional<ParameterValue> read_parameter(const Parameter& parameter,
                                             const Node& node,
                                             Problems& problems) {
  switch (parameter.kind) {
    case ParameterKind::kFlag: {
      const auto flag = json::as_flag(node.value);
      if (flag) return *flag;
      problems.wrong_type(node, "true or false");
      return std::nullopt;
    }
    case ParameterKind::kInteger:
      return read_integer(parameter, node, problems);
    case ParameterKind::kText: {
      auto text = read_text(node, Emptiness::kAllowed, problems);
      if (!text) return std::nullopt;
      return *std::move(text);
    }
    case ParameterKind::kChoice: {
      const auto at = read_word(node, parameter.choices, std::nullopt, problems);
      if (!at) return std::nullopt;
      return std::string(parameter.choices[*at]);
    }
    case ParameterKind::kTextList:
    case ParameterKind::kGlobList:
      return read_texts(node, Emptiness::kAllowed, problems);
    case ParameterKind::kChoiceList:
      return read_choices(parameter, node, problems);
    case ParameterKind::kImagePatternList:
      return read_image_patterns(node, Emptiness::kAllowed, problems);
    case ParameterKind::kPlatformList:
      return read_platforms(node, problems);
    case ParameterKind::kQuantityMap:
      return read_quantities(node, problems);
    case ParameterKind::kCount:
      return read_count(parameter, node, problems);
    case ParameterKind::kSize:
    case ParameterKind::kDecimal:
      return read_optional_quantity(parameter.kind, node, problems);
    case ParameterKind::kDuration:
      return read_duration(node, problems);
    case ParameterKind::kIgnoreList:
      return read_ignored(node, problems);
  }
  return std::nullopt;
}

std::vector<ParameterValue> default_values(const Rule& rule) {
  std::vector<ParameterValue> values;
  json::Parser parser;
  for (const Parameter& parameter : rule.parameters) {
    json::Element element;
    const simdjson::padded_string text(parameter.default_json);
    if (parser.parse(text).get(element) != simdjson::SUCCESS) __builtin_trap();
    Problems problems;
    auto value = read_parameter(parameter, {element, ""}, problems);
    if (!value || !problems.none()) __builtin_trap();
    values.push_back(*std::move(value));
  }
  return values;
}

void check_contradictions(const Rule& rule,
                          const std::vector<ParameterValue>& values,
                          const Node& node,
                          Problems& problems) {
  check_range(rule, values, node, problems);
  check_lists(rule, values, node, problems);
  check_ratio(rule, values, node, problems);
}

}  // namespace plimsoll::policy
