#include <algorithm>

#include <fmt/format.h>

#include "policy/dates.h"
#include "policy/image_base.h"
#include "policy/image_history.h"
#include "policy/printable.h"
#include "policy/size_text.h"
#include "webhook/cli/content_output.h"
#include "webhook/cli/image_report.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::SizeUnits;

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

std::string size(std::uint64_t bytes) {
  return policy::size_text(bytes, SizeUnits::kBinary);
}

class ImageText {
 public:
  ImageText(const ImageReport& report, bool colour) : report_(report), colour_(colour) {}

  std::string write() {
    text_ += painted(kBold, policy::printable(report_.reference, 1024)) + "\n";
    const policy::ImageFacts& facts = *report_.facts;
    if (!report_.normalised.empty() && report_.normalised != report_.reference) {
      row("means", report_.normalised);
    }
    if (!facts.resolution) {
      unknown(facts.resolution.error());
      return std::move(text_);
    }
    row("digest", facts.resolution->digest + (facts.resolution->is_index ? " (index)" : ""));
    if (facts.resolution->is_index) row("platforms", platforms(facts.resolution->platforms));
    for (const policy::PlatformFacts& platform : facts.platforms) image(platform);
    if (report_.content) text_ += content_as_text(*report_.content);
    scan();
    verdict();
    return std::move(text_);
  }

 private:
  std::string painted(const char* colour, const std::string& text) const {
    return colour_ ? colour + text + kPlain : text;
  }

  void row(std::string_view name, std::string_view value) {
    text_ += fmt::format("  {:<10} {}\n", name, value);
  }

  void unknown(const policy::Unknown& why) {
    row("unknown",
        fmt::format("{} [{}, {}]",
                    policy::unknown_text(why),
                    policy::reason_word(why.reason),
                    policy::class_word(policy::class_of(why.reason))));
    row("fix", policy::reason_remedy(why.reason));
  }

  static std::string platforms(const std::vector<policy::OfferedPlatform>& list) {
    std::string text;
    for (const policy::OfferedPlatform& offer : list) {
      text += (text.empty() ? "" : ", ") + policy::printable(policy::platform_text(offer.platform));
    }
    return text;
  }

  void image(const policy::PlatformFacts& platform) {
    row("platform", policy::platform_text(platform.platform));
    if (!platform.manifest) return unknown(platform.manifest.error());
    const policy::Manifest& manifest = **platform.manifest;
    row("size",
        fmt::format("{} compressed in {} layer{}; a pull of {} costs up to {} (0.09 $/GB internet "
                    "egress)",
                    size(manifest.compressed_bytes),
                    manifest.layers.size(),
                    manifest.layers.size() == 1 ? "" : "s",
                    size(manifest.pull_bytes),
                    policy::cost_text(policy::pull_cost(manifest.pull_bytes, usual_price()))));
    if (manifest.foreign_bytes > 0) {
      row("", size(manifest.foreign_bytes) + " of it does not come from the registry");
    }
    const policy::ImageConfig* config = platform.config ? platform.config->get() : nullptr;
    if (config == nullptr) {
      unknown(platform.config.error());
    } else {
      configuration(manifest, *config);
    }
    layers(manifest, config);
    lighter(manifest, config);
  }

  void configuration(const policy::Manifest& manifest, const policy::ImageConfig& config) {
    const auto* resolution = &*report_.facts->resolution;
    const auto claims = policy::base_claims(manifest, resolution, config);
    if (!claims.empty()) {
      row("base",
          fmt::format("{} (claimed by {})",
                      policy::printable(claims[0].name.empty() ? claims[0].digest : claims[0].name),
                      claims[0].source));
    }
    row("user", config.user.empty() ? "root (none is named)" : policy::printable(config.user));
    row("health", health(config.health_check));
    row("built", built(config));
  }

  static std::string health(policy::ImageHealthCheck state) {
    switch (state) {
      case policy::ImageHealthCheck::kPresent:
        return "HEALTHCHECK is there; the kubelet ignores it";
      case policy::ImageHealthCheck::kDisabled:
        return "HEALTHCHECK is switched off";
      case policy::ImageHealthCheck::kDropped:
        return "no HEALTHCHECK (its builder drops it from OCI images)";
      case policy::ImageHealthCheck::kAbsent:
        break;
    }
    return "no HEALTHCHECK";
  }

  std::string built(const policy::ImageConfig& config) const {
    constexpr std::chrono::sys_seconds kEarliest =
        std::chrono::sys_days(std::chrono::year(2000) / std::chrono::January / 1);
    if (!config.created || *config.created < kEarliest) return "it does not say when";
    const std::string date =
        policy::date_text(std::chrono::floor<std::chrono::days>(*config.created));
    if (*config.created > report_.now) return date + ", which is in the future";
    return date + ", " + policy::time_span_text(report_.now - *config.created) + " ago";
  }

  void layers(const policy::Manifest& manifest, const policy::ImageConfig* config) {
    text_ += "  layers\n";
    for (const policy::LayerOrigin& origin : policy::layer_origins(manifest, config)) {
      const double share = manifest.compressed_bytes == 0
                               ? 0
                               : 100.0 * static_cast<double>(origin.layer->size) /
                                     static_cast<double>(manifest.compressed_bytes);
      text_ += fmt::format("  {:>4} {:>11} {:>4.0f} %  {}\n",
                           origin.index + 1,
                           size(origin.layer->size),
                           share,
                           origin.history == nullptr
                               ? "(no instruction is known)"
                               : policy::shown_instruction(origin.history->created_by));
    }
  }

  void lighter(const policy::Manifest& manifest, const policy::ImageConfig* config) {
    const std::vector<Hint> hints = hints_of(manifest, config);
    if (hints.empty()) return;
    text_ += "  lighter\n";
    for (const Hint& hint : hints) {
      const std::string saves = hint.at_most == 0 ? "" : "up to " + size(hint.at_most);
      text_ += fmt::format("    {:>16}  {}: {}\n", saves, hint.proof ? "proof" : "hint", hint.text);
    }
  }

  void scan() {
    const policy::ImageFacts& facts = *report_.facts;
    if (!facts.scan) return row("scan", policy::unknown_text(facts.scan.error()));
    const policy::ScanVerdict& verdict = **facts.scan;
    std::string counts;
    for (std::size_t s = 0; s < policy::kSeverities; ++s) {
      if (verdict.counts[s].total == 0) continue;
      counts += fmt::format("{}{} {}",
                            counts.empty() ? "" : ", ",
                            verdict.counts[s].total,
                            policy::severity_word(static_cast<policy::Severity>(s)));
    }
    std::string text = counts.empty() ? "no vulnerabilities" : counts;
    if (verdict.packages) text += fmt::format("; {} packages", *verdict.packages);
    text += fmt::format(" ({}", policy::printable(verdict.scanner));
    if (verdict.scanned_at) {
      text += ", " + policy::date_text(std::chrono::floor<std::chrono::days>(*verdict.scanned_at));
    }
    row("scan", text + ")");
  }

  void verdict() {
    if (!report_.policy) return;
    const policy::Verdict verdict = report_.policy->verdict;
    const std::string word(policy::verdict_word(verdict));
    const char* colour = verdict == policy::Verdict::kDeny   ? kRed
                         : verdict == policy::Verdict::kWarn ? kYellow
                                                             : kBold;
    row("policy", painted(colour, word));
    for (const std::string& line : report_.policy->lines) {
      text_ += "    ";
      for (const char c : line) {
        text_ += c;
        if (c == '\n') text_ += "    ";
      }
      text_ += '\n';
    }
  }

  const ImageReport& report_;
  bool colour_;
  std::string text_;
};

}  // namespace

std::string image_as_text(const ImageReport& report, bool colour) {
  return ImageText(report, colour).write();
}

}  // namespace plimsoll::webhook::cli
