#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "policy/ascii.h"
#include "policy/pattern.h"
#include "policy/printable.h"
#include "policy/rules/rule_table.h"
#include "policy/rules/secret_shape.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kNames, kAllow };

constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "names",
     .kind = ParameterKind::kGlobList,
     .default_json = "[]",
     .summary =
         "further names (globs, case ignored) of variables whose literal values are secrets"},
    {.name = "allow",
     .kind = ParameterKind::kGlobList,
     .default_json = "[]",
     .summary = "names (globs, case ignored) of variables that are never findings"},
}};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

bool is_listed(const std::vector<std::string>& globs, std::string_view name) {
  if (globs.empty()) return false;
  const std::string wanted = lower(name);
  return std::ranges::any_of(
      globs, [&wanted](const std::string& glob) { return glob_matches(lower(glob), wanted); });
}

// What the variable holds, "a secret by its name"; empty: nothing that has to be hidden.
std::string_view secret_in(const EnvVar& variable, const Parameters& parameters) {
  if (!variable.literal || variable.value.empty()) return {};
  const std::string_view shape = secret_shape(variable.value);
  if (!shape.empty())
    return is_listed(parameters.list(kAllow), variable.name) ? std::string_view() : shape;
  if (is_harmless_value(variable.value)) return {};
  const bool by_name = is_listed(parameters.list(kNames), variable.name) ||
                       (is_secret_name(variable.name) &&
                        (!is_number(variable.value) || is_password_name(variable.name)));
  if (!by_name || is_listed(parameters.list(kAllow), variable.name)) return {};
  return "a secret by its name";
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for (const Container* container : input.containers) {
    for (const EnvVar& variable : container->env) {
      const std::string_view what = secret_in(variable, input.parameters);
      if (what.empty()) continue;
      Finding& finding = findings.emplace_back();
      finding.container = container;
      finding.subject = variable.name;
      finding.pointer = pointer_to(input.workload, *container, "/env/");
      finding.pointer += std::to_string(variable.index) + "/value";
      finding.found = what;
      finding.limit = "a reference to a Secret";
      finding.message = describe(*container) + " holds " + std::string(what) +
                        " in plain text in the variable " + printable(variable.name);
    }
  }
}

}  // namespace

constinit const Rule kSecretEnv = {
    .id = "secret-env",
    .title = "Secrets do not stand in plain environment values",
    .why =
        "Whoever may read the workload, its history in Git or a backup reads the value. The value "
        "itself is never "
        "printed, logged or kept by this check.",
    .remedy =
        "put it into a Secret and use valueFrom.secretKeyRef or a mounted file; replace the value "
        "that was exposed",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
