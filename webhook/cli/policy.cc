#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "webhook/cli/commands.h"
#include "webhook/cli/rules_page.h"
#include "webhook/cli/terminal.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::cli {
namespace {

using Paths = std::vector<std::string>;

int tell(const policy_sources::ErrorLines& lines) {
  for (const std::string& line : lines) complain(line);
  return kExitUsage;
}

int exit_after(bool printed) {
  return printed ? kExitFine : kExitUnreadable;
}

int validate(const Paths& paths) {
  const auto policies = policy_sources::load_policies(paths);
  if (!policies) return tell(policies.error());
  std::string text;
  for (const policy::HygienePolicy& policy : policies->policies) {
    text += fmt::format("{}: fine, {} {} on, {} {}\n",
                        policy.name,
                        policy.rules.size(),
                        policy.rules.size() == 1 ? "rule" : "rules",
                        policy.exceptions.size(),
                        policy.exceptions.size() == 1 ? "exception" : "exceptions");
  }
  return exit_after(print(text));
}

// The files as they are: comments are part of what a reader wants to see.
int show(const Paths& paths) {
  const auto sources = policy_sources::read_policy_sources(paths);
  if (!sources) return tell(sources.error());
  const auto policies = policy_sources::parse_policies(*sources, true);
  if (!policies) return tell(policies.error());
  std::string text;
  for (const policy_sources::PolicySource& source : *sources) {
    if (sources->size() > 1) text += fmt::format("---\n# {}\n", source.name);
    text += source.text;
    if (!text.ends_with('\n')) text += '\n';
  }
  return exit_after(print(text));
}

void add_validate(CLI::App& policy, int& exit_code) {
  const auto paths = std::make_shared<Paths>();
  CLI::App* command = policy.add_subcommand(
      "validate", "Check policy files; exit 2 and file:line:column of every mistake");
  command->add_option("paths", *paths, "Policy files or directories")
      ->type_name("PATH")
      ->required();
  command->footer(
      "All files are taken together, as a server would: two policies of one name are a mistake.\n\n"
      "Example:\n  plimsoll policy validate policies/");
  command->callback([paths, &exit_code] { exit_code = validate(*paths); });
}

void add_show(CLI::App& policy, int& exit_code) {
  const auto paths = std::make_shared<Paths>();
  CLI::App* command =
      policy.add_subcommand("show", "Print the policies that would be used, with their comments");
  command
      ->add_option("--policy",
                   *paths,
                   "Policy file or directory; may be repeated (default: the built-in policy)")
      ->type_name("PATH")
      ->allow_extra_args(false);
  command->footer(
      "The built-in policy is a good first file:\n  plimsoll policy show > policy.yaml");
  command->callback([paths, &exit_code] { exit_code = show(*paths); });
}

void add_rules(CLI::App& policy, int& exit_code) {
  CLI::App* command =
      policy.add_subcommand("rules", "Describe every rule and its parameters, as Markdown");
  command->callback([&exit_code] { exit_code = exit_after(print(rules_page())); });
}

}  // namespace

void add_policy(CLI::App& app, int& exit_code) {
  CLI::App* policy = app.add_subcommand("policy", "Validate and show policies, describe the rules");
  policy->require_subcommand(1);
  add_validate(*policy, exit_code);
  add_show(*policy, exit_code);
  add_rules(*policy, exit_code);
}

}  // namespace plimsoll::webhook::cli
