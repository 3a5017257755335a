#include "webhook/cli/rules_page.h"

#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "policy/rule.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Parameter;
using policy::ParameterKind;
using policy::Rule;

constexpr std::string_view kIntroduction = R"(# Rules

<!-- Made by `plimsoll policy rules`. Change the rule's declaration, not this page. -->

A policy names the rules it wants, each with an action and, where it likes, with parameters:

```yaml
rules:
  image-tag: {action: enforce, mutable: [latest, main]}
  readiness-probe: {action: warn}
```

Every rule takes `action`: `enforce` (refused), `warn` (admitted, the user is told), `audit` (admitted
and recorded), or `off`. Every rule may also take `onUnknown`, which says what it means that a fact
about an image could not be had.

)";

std::string_view kind_text(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kFlag:
      return "true or false";
    case ParameterKind::kInteger:
      return "whole number";
    case ParameterKind::kText:
      return "text";
    case ParameterKind::kChoice:
      return "one of";
    case ParameterKind::kTextList:
      return "list of texts";
    case ParameterKind::kChoiceList:
      return "list of";
    case ParameterKind::kGlobList:
      return "list of patterns";
    case ParameterKind::kImagePatternList:
      return "list of image patterns";
    case ParameterKind::kPlatformList:
      return "list of platforms like linux/amd64";
    case ParameterKind::kQuantityMap:
      return "map of quantities";
    case ParameterKind::kCount:
      return "whole number, or none";
    case ParameterKind::kSize:
      return "size like 500Mi or 950M, or none";
    case ParameterKind::kDecimal:
      return "number like 0.09, or none";
    case ParameterKind::kDuration:
      return "duration like 168h or 30d, or none";
    case ParameterKind::kIgnoreList:
      return "list of `{id, reason, expires}`";
  }
  return "";
}

std::string type_text(const Parameter& parameter) {
  std::string text(kind_text(parameter.kind));
  for (std::size_t i = 0; i < parameter.choices.size(); ++i) {
    text += fmt::format("{} `{}`", i == 0 ? "" : ",", parameter.choices[i]);
  }
  if (parameter.kind != ParameterKind::kInteger) return text;
  text += fmt::format(", at least {}", parameter.minimum);
  if (parameter.maximum != std::numeric_limits<std::int64_t>::max()) {
    text += fmt::format(", at most {}", parameter.maximum);
  }
  return text;
}

// A bar would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void add_rule(std::string& page, const Rule& rule) {
  page +=
      fmt::format("## {}\n\n{}.\n\n{}\n\nFix: {}\n\n", rule.id, rule.title, rule.why, rule.remedy);
  if (rule.parameters.empty()) {
    page += "No parameters.\n\n";
    return;
  }
  page += "| parameter | type | default | meaning |\n|---|---|---|---|\n";
  for (const Parameter& parameter : rule.parameters) {
    page += fmt::format("| `{}` | {} | `{}` | {} |\n",
                        parameter.name,
                        cell(type_text(parameter)),
                        cell(parameter.default_json == "null" ? "none" : parameter.default_json),
                        cell(parameter.summary));
  }
  page += '\n';
}

}  // namespace

std::string rules_page() {
  std::string page(kIntroduction);
  page += "| rule | what it wants |\n|---|---|\n";
  for (const Rule* rule : policy::all_rules()) {
    page += fmt::format("| [{0}](#{0}) | {1} |\n", rule->id, cell(rule->title));
  }
  page += '\n';
  for (const Rule* rule : policy::all_rules()) add_rule(page, *rule);
  page.pop_back();
  return page;
}

}  // namespace plimsoll::webhook::cli
