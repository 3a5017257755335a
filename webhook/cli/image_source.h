// Facts about images for somebody at a terminal: registries, credentials and reports as the command
// line names them.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/image_facts.h"
#include "policy/image_reference.h"
#include "policy/result.h"
#include "webhook/facts/facts_service.h"
#include "webhook/net/snapshot.h"
#include "webhook/registry/registries.h"
#include "webhook/scan/report_directory.h"

namespace CLI {
class App;
}

namespace plimsoll::webhook::cli {

struct ImageSourceFlags {
  std::string registries;
  std::string scan_reports;
  bool plain_http = false;
  std::string timeout = "30s";
};

void add_image_source_flags(CLI::App& command, ImageSourceFlags& flags);

// What a program's own environment says; nothing where it is not set.
std::optional<std::string> environment_variable(const char* name);

class ImageSource {
 public:
  // `typed`: without a file of --registries private addresses are fine for these. Credentials come
  // from the file of --registries, or else from $DOCKER_CONFIG or ~/.docker/config.json. The error
  // is lines that say what is wrong.
  static std::expected<std::unique_ptr<ImageSource>, std::vector<std::string>> make(
      const ImageSourceFlags& flags, const std::vector<policy::ImageReference>& typed);

  facts::FactsService& service() { return *service_; }
  std::chrono::milliseconds timeout() const { return timeout_; }
  std::shared_ptr<const registry::Registries> registries() const { return registries_.read(); }

  // Waits for all of it. Never nullptr: what does not come in time is unknown.
  std::shared_ptr<const policy::ImageFacts> look_up(const policy::ImageReference& reference,
                                                    const std::vector<policy::Platform>& platforms,
                                                    policy::FactSet facts,
                                                    facts::FactsService::Trace trace = nullptr);

 private:
  ImageSource() = default;

  std::chrono::milliseconds timeout_{30'000};
  net::Snapshot<registry::Registries> registries_;
  std::optional<scan::ReportDirectory> reports_;
  std::optional<facts::FactsService> service_;
};

}  // namespace plimsoll::webhook::cli
