#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "policy/namespace_exceptions.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/crd_page.h"
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

std::string told(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// What becomes of an exception among the policies that are there; nothing is said without any.
std::string fate_of(const policy::NamespaceException& exception,
                    const policy::PolicySet& policies) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string taken;
  std::string refused;
  for (const policy::HygienePolicy& policy : policies.policies) {
    const auto answer = policy::answer_exception(policy, exception, now);
    if (answer.taken) taken += (taken.empty() ? ", taken by " : ", ") + policy.name;
    if (!answer.refused.empty()) refused += "; " + answer.refused;
  }
  return taken + refused;
}

int validate(const Paths& paths) {
  const auto sources = policy_sources::read_policy_sources(paths);
  if (!sources) return tell(sources.error());
  const auto documents = policy_sources::parse_documents(*sources, true);
  if (!documents) return tell(documents.error());
  std::string text;
  for (const policy::HygienePolicy& policy : documents->policies.policies) {
    text += fmt::format("{}: fine, {} on, {}\n",
                        policy.name,
                        told(policy.rules.size(), "rule", "rules"),
                        told(policy.exceptions.size(), "exception", "exceptions"));
  }
  for (const policy::NamespaceException& exception : documents->exceptions) {
    text += fmt::format("{}/{}: fine{}\n",
                        exception.name_space,
                        exception.name,
                        fate_of(exception, documents->policies));
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

int crds(const std::string& kind) {
  std::string text;
  if (kind != "hygieneexception") text += policy_crd();
  if (kind.empty()) text += "---\n";
  if (kind != "hygienepolicy") text += exception_crd();
  return exit_after(print(text));
}

void add_crds(CLI::App& policy, int& exit_code) {
  const auto kind = std::make_shared<std::string>();
  CLI::App* command = policy.add_subcommand(
      "crds", "Print the CustomResourceDefinitions by which a cluster keeps policies");
  command->add_option("kind", *kind, "Only this one (default: both)")
      ->type_name("KIND")
      ->check(CLI::IsMember({"hygienepolicy", "hygieneexception"}));
  command->footer("Example:\n  plimsoll policy crds | kubectl apply -f -");
  command->callback([kind, &exit_code] { exit_code = crds(*kind); });
}

}  // namespace

void add_policy(CLI::App& app, int& exit_code) {
  CLI::App* policy = app.add_subcommand("policy", "Validate and show policies, describe the rules");
  policy->require_subcommand(1);
  add_validate(*policy, exit_code);
  add_show(*policy, exit_code);
  add_rules(*policy, exit_code);
  add_crds(*policy, exit_code);
}

}  // namespace plimsoll::webhook::cli
