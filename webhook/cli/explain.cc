#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "policy/printable.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/image_source.h"
#include "webhook/cli/terminal.h"

namespace plimsoll::webhook::cli {
namespace {

struct ExplainOptions {
  std::string reference;
  std::string platform = "linux/amd64";
  ImageSourceFlags source;
};

void step(std::string_view name, std::string_view what) {
  print(fmt::format("{:<12} {}\n", name, what));
}

void explain_reference(const policy::ImageReference& reference,
                       const registry::Registries& registries) {
  const registry::Repository repository = registry::Repository::of(reference);
  step("reference", reference.normalised());
  step("registry", repository.host_key);
  step("repository", repository.path);
  step(reference.is_pinned() ? "digest" : "tag",
       reference.is_pinned() ? reference.digest : reference.effective_tag());
  step("allowed", registries.allows(repository.host_key) ? "yes" : "no: not in allow");
  const auto endpoints = registries.endpoints(repository);
  if (!endpoints) return step("endpoint", endpoints.error());
  for (const registry::Endpoint& endpoint : *endpoints) {
    step(endpoint.name_space.empty() ? "endpoint" : "mirror",
         fmt::format("{}{}{}",
                     endpoint.base.shown(),
                     endpoint.access.configured ? ", private addresses allowed" : "",
                     endpoint.plain_http ? ", without TLS" : ""));
  }
  const auto candidates = registries.keyring().candidates(repository.domain, repository.path);
  for (const registry::CredentialEntry* entry : candidates) {
    step("credentials", "entry " + policy::printable(entry->key));
  }
  if (candidates.empty()) step("credentials", "none");
  for (const std::string& helper : registries.keyring().helpers()) {
    step("credentials", "helper " + policy::printable(helper) + " is not run");
  }
}

void explain_facts(const policy::ImageFacts& facts) {
  if (!facts.resolution) {
    return step("unknown",
                fmt::format("{} [{}]",
                            policy::unknown_text(facts.resolution.error()),
                            policy::reason_word(facts.resolution.error().reason)));
  }
  step("digest", facts.resolution->digest);
  for (const policy::PlatformFacts& platform : facts.platforms) {
    const std::string name = policy::platform_text(platform.platform);
    if (!platform.manifest) {
      step(name, policy::unknown_text(platform.manifest.error()));
      continue;
    }
    step(name, (*platform.manifest)->digest);
    step("config",
         platform.config ? (*platform.manifest)->config_digest
                         : policy::unknown_text(platform.config.error()));
  }
  step("scan",
       facts.scan ? "report of " + policy::printable((*facts.scan)->scanner)
                  : policy::unknown_text(facts.scan.error()));
}

int explain(const ExplainOptions& options) {
  const auto reference = policy::parse_image_reference(options.reference);
  if (!reference) {
    complain("plimsoll explain: " + policy::quoted(options.reference) + ": " +
             std::string(reference.error()));
    return kExitUnreadable;
  }
  const auto platform = policy::parse_platform(options.platform);
  if (!platform) {
    complain("plimsoll explain: --platform must be like linux/amd64");
    return kExitUsage;
  }
  auto source = ImageSource::make(options.source, {*reference});
  if (!source) {
    for (const std::string& line : source.error()) complain("plimsoll explain: " + line);
    return kExitUsage;
  }
  explain_reference(*reference, *(*source)->registries());
  const auto began = std::chrono::steady_clock::now();
  const policy::FactSet everything =
      policy::kResolution | policy::kManifest | policy::kConfig | policy::kScan;
  const auto trace = [](const std::string& line) { step("step", policy::printable(line, 1024)); };
  const auto facts = (*source)->look_up(*reference, {*platform}, everything, trace);
  explain_facts(*facts);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  step("took", fmt::format("{} ms", took.count()));
  return facts->resolution ? kExitFine : kExitUnreadable;
}

constexpr const char* kFooter = R"(Credentials are named by their entry's key and never shown.

Example:
  plimsoll explain registry.corp/team/web:1.4.2 --registries registries.yaml)";

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* command =
      app.add_subcommand("explain", "Show every step of finding out what an image is");
  command->add_option("reference", options->reference, "Image, as manifests name it")
      ->type_name("REF")
      ->required();
  command->add_option("--platform", options->platform, "Platform to look at")
      ->type_name("OS/ARCH")
      ->capture_default_str();
  add_image_source_flags(*command, options->source);
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = explain(*options); });
}

}  // namespace plimsoll::webhook::cli
