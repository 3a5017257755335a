#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "policy/printable.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/image_archive.h"
#include "webhook/cli/image_policy.h"
#include "webhook/cli/image_report.h"
#include "webhook/cli/image_source.h"
#include "webhook/cli/terminal.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::cli {
namespace {

struct ImageOptions {
  std::vector<std::string> references;
  std::vector<std::string> platforms;
  std::vector<std::string> policies;
  std::string output = "text";
  bool layers = false;
  ImageSourceFlags source;
};

// What an image without a name is judged as.
constexpr const char* kNameless = "localhost/archive:nameless";

constexpr policy::FactSet kEverything =
    policy::kResolution | policy::kManifest | policy::kConfig | policy::kScan;

// One run: from the references to the exit code.
class ImageCommand {
 public:
  explicit ImageCommand(const ImageOptions& options) : options_(options) {}

  int run() {
    if (!understand()) return kExitUsage;
    std::vector<policy::ImageReference> typed;
    for (const auto& reference : references_) {
      if (reference) typed.push_back(*reference);
    }
    auto source = ImageSource::make(options_.source, typed);
    if (!source) {
      for (const std::string& line : source.error()) complain("plimsoll image: " + line);
      return kExitUsage;
    }
    for (std::size_t i = 0; i < options_.references.size(); ++i) report_on(i, **source);
    return finish();
  }

 private:
  bool understand() {
    for (const std::string& text : options_.platforms) {
      const auto platform = policy::parse_platform(text);
      if (!platform) {
        complain("plimsoll image: --platform: " + policy::quoted(text) +
                 " is no platform; write linux/amd64");
        return false;
      }
      platforms_.push_back(*platform);
    }
    if (!options_.policies.empty()) {
      auto policies = policy_sources::load_policies(options_.policies);
      if (!policies) {
        for (const std::string& line : policies.error()) complain(line);
        return false;
      }
      policies_ = *std::move(policies);
    }
    for (const std::string& text : options_.references) {
      references_.push_back(policy::parse_image_reference(text));
    }
    return true;
  }

  void report_on(std::size_t index, ImageSource& source) {
    ImageReport report;
    report.reference = options_.references[index];
    report.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto& platforms = platforms_.empty() ? source.service().platforms() : platforms_;
    const auto& reference = references_[index];
    std::unique_ptr<LayerSource> layers;
    std::string judged = report.reference;
    if (is_archive(report.reference)) {
      auto image = open_archive(report.reference, platforms);
      if (!image) return unreadable(report.reference, image.error());
      report.facts = std::move(image->facts);
      layers = std::move(image->layers);
      judged = policy::parse_image_reference(image->name) ? image->name : kNameless;
      report.normalised = image->name;
    } else if (reference) {
      layers = registry_layers(source.registries(), registry::Repository::of(*reference));
      report.normalised = reference->normalised();
      report.facts = source.look_up(*reference, platforms, kEverything);
    } else {
      const policy::Unknown why{policy::UnknownReason::kInvalidReference,
                                std::string(reference.error())};
      report.facts =
          std::make_shared<const policy::ImageFacts>(policy::ImageFacts::unknown(platforms, why));
    }
    if (policies_) {
      report.policy = judge_image(*policies_, judged, source, report.facts, report.now);
      denied_ = denied_ || report.policy->verdict == policy::Verdict::kDeny;
    }
    unknown_ = unknown_ || !report.is_known();
    if (options_.layers && report.is_known()) examine(report, *layers);
    if (options_.output == "text") {
      const std::string blank = index == 0 ? "" : "\n";
      printed_ = print(blank + image_as_text(report, wants_colour())) && printed_;
    }
    reports_.push_back(std::move(report));
  }

  void unreadable(const std::string& reference, const std::string& why) {
    complain(fmt::format("plimsoll image: {}: {}", policy::printable(reference, 1024), why));
    unknown_ = true;
  }

  void examine(ImageReport& report, LayerSource& layers) {
    const policy::PlatformFacts& platform = report.facts->platforms.front();
    auto examination = examine_layers(
        **platform.manifest, **platform.config, layers, ::isatty(STDERR_FILENO) == 1);
    if (examination) {
      report.content = *std::move(examination);
    } else {
      unreadable(report.reference, examination.error());
    }
  }

  int finish() {
    if (options_.output == "json") printed_ = print(images_as_json(reports_));
    if (!printed_ || unknown_) return kExitUnreadable;
    return denied_ ? kExitFailed : kExitFine;
  }

  const ImageOptions& options_;
  std::vector<std::expected<policy::ImageReference, std::string_view>> references_;
  std::vector<policy::Platform> platforms_;
  std::optional<policy::PolicySet> policies_;
  std::vector<ImageReport> reports_;
  bool denied_ = false;
  bool unknown_ = false;
  bool printed_ = true;
};

constexpr const char* kFooter = R"(Examples:
  plimsoll image nginx:1.27
  plimsoll image --platform linux/arm64 registry.corp/web:1.4.2
  plimsoll image --layers registry.corp/web:1.4.2
  plimsoll image --policy policies/ --output json registry.corp/web:1.4.2

Credentials come from Docker's config.json, or from the file of --registries; nothing is stored, and
credential helpers are not run.

Exit codes:
  0  fine                                    2  wrong usage, or a policy that is wrong
  1  a policy of --policy denies the image   3  an image could not be read)";

}  // namespace

void add_image(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ImageOptions>();
  CLI::App* command = app.add_subcommand("image", "Say what an image is made of, and judge it");
  command
      ->add_option("references",
                   options->references,
                   "Images, as manifests name them; or docker-archive:FILE, oci-archive:FILE, "
                   "oci:DIR")
      ->type_name("REF")
      ->required();
  command
      ->add_option("--platform",
                   options->platforms,
                   "Platform to look at; may be repeated (default: linux/amd64)")
      ->type_name("OS/ARCH")
      ->allow_extra_args(false);
  command
      ->add_option("--policy",
                   options->policies,
                   "Policy file or directory whose rules about images judge it; may be repeated")
      ->type_name("PATH")
      ->allow_extra_args(false);
  command->add_option("-o,--output", options->output, "Form of the results")
      ->type_name("text|json")
      ->check(CLI::Validator(CLI::IsMember({"text", "json"})).description(""))
      ->capture_default_str();
  command->add_flag(
      "--layers",
      options->layers,
      "Read the layers, too: wasted bytes, duplicates, caches, build tools, packages");
  add_image_source_flags(*command, options->source);
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = ImageCommand(*options).run(); });
}

}  // namespace plimsoll::webhook::cli
