#include "webhook/cli/image_source.h"

#include <cstdlib>
#include <future>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "webhook/admission/timeout.h"
#include "webhook/cli/version.h"

namespace plimsoll::webhook::cli {
namespace {

using Errors = std::vector<std::string>;

// Docker's own file; empty where there is none.
std::string docker_config_path() {
  const auto directory = environment_variable("DOCKER_CONFIG");
  const auto home = environment_variable("HOME");
  std::string path;
  if (directory && !directory->empty()) {
    path = *directory + "/config.json";
  } else if (home && !home->empty()) {
    path = *home + "/.docker/config.json";
  }
  return !path.empty() && ::access(path.c_str(), R_OK) == 0 ? path : "";
}

std::expected<std::shared_ptr<const registry::Registries>, Errors> read_registries(
    const std::string& path) {
  registry::RegistryConfig config;
  if (!path.empty()) {
    const auto text = registry::read_small_file(path);
    if (!text) return std::unexpected(Errors{text.error().message});
    auto parsed = registry::parse_registry_config(path, *text);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    config = *std::move(parsed);
  }
  if (config.credential_files.empty()) {
    const std::string docker = docker_config_path();
    if (!docker.empty()) config.credential_files.push_back(docker);
  }
  return registry::Registries::make(std::move(config), &registry::read_small_file);
}

}  // namespace

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  if (value == nullptr) return std::nullopt;
  return value;
}

void add_image_source_flags(CLI::App& command, ImageSourceFlags& flags) {
  command
      .add_option("--registries",
                  flags.registries,
                  "Registries: mirrors, CAs, credentials (default: the public ones, and Docker's "
                  "config.json)")
      ->type_name("FILE");
  command
      .add_option("--scan-reports",
                  flags.scan_reports,
                  "Directory of scan reports: Trivy, Grype, SARIF or plimsoll's own JSON")
      ->type_name("DIR");
  command.add_flag("--plain-http", flags.plain_http, "Ask the registries that are named by http");
  command.add_option("--timeout", flags.timeout, "How long to wait for one image")
      ->type_name("TIME")
      ->capture_default_str();
}

std::expected<std::unique_ptr<ImageSource>, Errors> ImageSource::make(
    const ImageSourceFlags& flags, const std::vector<policy::ImageReference>& typed) {
  std::unique_ptr<ImageSource> source(new ImageSource());
  const auto timeout = admission::parse_duration(flags.timeout);
  if (!timeout || timeout->count() == 0) {
    return std::unexpected(Errors{"--timeout must be a duration; write 30s"});
  }
  source->timeout_ = *timeout;
  auto registries = read_registries(flags.registries);
  if (!registries) return std::unexpected(std::move(registries.error()));
  // What a person types is as good as configured, unless a file says what is configured.
  for (const policy::ImageReference& reference : typed) {
    if (!flags.registries.empty()) break;
    *registries = (*registries)->with_host(reference.host_key(), flags.plain_http);
  }
  source->registries_.publish(*registries);
  std::vector<const scan::VerdictSource*> sources;
  if (!flags.scan_reports.empty()) {
    source->reports_.emplace("files", flags.scan_reports);
    source->reports_->poll();
    Errors errors = source->reports_->errors();
    if (!errors.empty()) return std::unexpected(std::move(errors));
    sources.push_back(&*source->reports_);
  }
  auto proxies = net::ProxySettings::from(&environment_variable);
  if (!proxies) return std::unexpected(Errors{proxies.error().message});
  facts::FactsOptions options;
  options.user_agent = "plimsoll/" + std::string(version());
  options.look_up_time = *timeout;
  options.requests_per_second = 0;  // a person waits
  source->service_.emplace(
      std::move(options), *std::move(proxies), source->registries_, std::move(sources), nullptr);
  return source;
}

std::shared_ptr<const policy::ImageFacts> ImageSource::look_up(
    const policy::ImageReference& reference,
    const std::vector<policy::Platform>& platforms,
    policy::FactSet facts,
    facts::FactsService::Trace trace) {
  auto promise = std::make_shared<std::promise<facts::FactsService::FactsPointer>>();
  std::future<facts::FactsService::FactsPointer> future = promise->get_future();
  std::vector<facts::FactRequest> requests = {facts::FactRequest::of(reference, platforms, facts)};
  const auto receive = [promise](std::size_t, facts::FactsService::FactsPointer found) {
    promise->set_value(std::move(found));
  };
  service_->fetch(std::move(requests), net::Deadline::in(timeout_), receive, std::move(trace));
  facts::FactsService::FactsPointer found = future.get();
  if (found != nullptr) return found;
  const policy::Unknown late{policy::UnknownReason::kTimeout, ""};
  return std::make_shared<const policy::ImageFacts>(policy::ImageFacts::unknown(platforms, late));
}

}  // namespace plimsoll::webhook::cli
