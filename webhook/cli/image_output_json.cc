#include <algorithm>

#include <nlohmann/json.hpp>

#include "policy/dates.h"
#include "policy/image_base.h"
#include "policy/image_history.h"
#include "policy/image_insights.h"
#include "policy/printable.h"
#include "policy/size_text.h"
#include "webhook/cli/content_output.h"
#include "webhook/cli/image_report.h"

namespace plimsoll::webhook::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;
constexpr std::size_t kLongRunes = 1024;

Json unknown_json(const policy::Unknown& unknown) {
  return {{"reason", policy::reason_word(unknown.reason)},
          {"class", policy::class_word(policy::class_of(unknown.reason))},
          {"message", policy::unknown_text(unknown)}};
}

Json platform_json(const policy::Platform& platform) {
  return {
      {"os", platform.os}, {"architecture", platform.architecture}, {"variant", platform.variant}};
}

std::string health_word(policy::ImageHealthCheck state) {
  switch (state) {
    case policy::ImageHealthCheck::kAbsent:
      return "absent";
    case policy::ImageHealthCheck::kPresent:
      return "present";
    case policy::ImageHealthCheck::kDisabled:
      return "disabled";
    case policy::ImageHealthCheck::kDropped:
      return "dropped";
  }
  return "absent";
}

std::string compression_word(policy::LayerCompression compression) {
  switch (compression) {
    case policy::LayerCompression::kNone:
      return "none";
    case policy::LayerCompression::kGzip:
      return "gzip";
    case policy::LayerCompression::kZstd:
      return "zstd";
    case policy::LayerCompression::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Json layers_json(const policy::Manifest& manifest, const policy::ImageConfig* config) {
  Json layers = Json::array();
  for (const policy::LayerOrigin& origin : policy::layer_origins(manifest, config)) {
    Json layer;
    layer["index"] = origin.index;
    layer["digest"] = origin.layer->digest;
    layer["size"] = origin.layer->size;
    layer["share"] = manifest.compressed_bytes == 0
                         ? 0.0
                         : static_cast<double>(origin.layer->size) /
                               static_cast<double>(manifest.compressed_bytes);
    layer["mediaType"] = policy::printable(origin.layer->media_type);
    layer["compression"] = compression_word(origin.layer->compression);
    layer["foreign"] = origin.layer->foreign;
    layer["instruction"] =
        origin.history == nullptr
            ? Json(nullptr)
            : Json(policy::shown_instruction(origin.history->created_by, kLongRunes));
    layers.push_back(std::move(layer));
  }
  return layers;
}

void add_config(const ImageReport& report, const policy::PlatformFacts& platform, Json& json) {
  const policy::ImageConfig& config = **platform.config;
  json["user"] = policy::printable(config.user);
  json["healthcheck"] = health_word(config.health_check);
  json["created"] = config.created ? Json(policy::time_text(*config.created)) : Json(nullptr);
  const auto* resolution = report.facts->resolution ? &*report.facts->resolution : nullptr;
  json["base"] = Json::array();
  for (const policy::BaseClaim& claim :
       policy::base_claims(**platform.manifest, resolution, config)) {
    json["base"].push_back({{"name", policy::printable(claim.name)},
                            {"digest", policy::printable(claim.digest)},
                            {"claimedBy", claim.source}});
  }
  json["labels"] = Json::object();
  const auto insights = policy::insights_of(platform);
  for (const auto& [key, value] : config.labels) {
    const std::string place = "label " + policy::printable(key);
    const bool secret = std::ranges::find(insights->secrets, place, &policy::BakedSecret::place) !=
                        insights->secrets.end();
    json["labels"][policy::printable(key)] =
        secret ? std::string("***") : policy::printable(value, kLongRunes);
  }
}

Json platform_facts_json(const ImageReport& report, const policy::PlatformFacts& platform) {
  Json json;
  json["platform"] = platform_json(platform.platform);
  json["unknown"] = nullptr;
  if (!platform.manifest) {
    json["unknown"] = unknown_json(platform.manifest.error());
    return json;
  }
  const policy::Manifest& manifest = **platform.manifest;
  const policy::ImageConfig* config = platform.config ? platform.config->get() : nullptr;
  json["manifestDigest"] = manifest.digest;
  json["configDigest"] = manifest.config_digest;
  json["compressedBytes"] = manifest.compressed_bytes;
  json["pullBytes"] = manifest.pull_bytes;
  json["foreignBytes"] = manifest.foreign_bytes;
  json["costPerPull"] = policy::cost_text(policy::pull_cost(manifest.pull_bytes, usual_price()));
  json["layers"] = layers_json(manifest, config);
  if (config == nullptr) {
    json["unknown"] = unknown_json(platform.config.error());
  } else {
    add_config(report, platform, json);
  }
  json["hints"] = Json::array();
  for (const Hint& hint : hints_of(manifest, config)) {
    json["hints"].push_back(
        {{"text", hint.text}, {"savesAtMost", hint.at_most}, {"proof", hint.proof}});
  }
  return json;
}

Json scan_json(const policy::ImageFacts& facts) {
  if (!facts.scan) return {{"unknown", unknown_json(facts.scan.error())}};
  const policy::ScanVerdict& verdict = **facts.scan;
  Json json;
  json["unknown"] = nullptr;
  json["source"] = verdict.source;
  json["scanner"] = policy::printable(verdict.scanner);
  json["scannedAt"] = verdict.scanned_at ? Json(policy::time_text(*verdict.scanned_at)) : Json();
  json["weak"] = verdict.weak;
  for (std::size_t s = 0; s < policy::kSeverities; ++s) {
    const policy::SeverityCount& count = verdict.counts[s];
    json["counts"][std::string(policy::severity_word(static_cast<policy::Severity>(s)))] = {
        {"total", count.total}, {"fixable", count.fixable ? Json(*count.fixable) : Json(nullptr)}};
  }
  json["packages"] = verdict.packages ? Json(*verdict.packages) : Json(nullptr);
  return json;
}

Json image_json(const ImageReport& report) {
  Json json;
  json["reference"] = policy::printable(report.reference, kLongRunes);
  json["normalised"] = report.normalised;
  const policy::ImageFacts& facts = *report.facts;
  json["unknown"] = facts.resolution ? Json(nullptr) : unknown_json(facts.resolution.error());
  json["digest"] = facts.resolution ? Json(facts.resolution->digest) : Json(nullptr);
  json["index"] = facts.resolution && facts.resolution->is_index;
  json["platforms"] = Json::array();
  json["images"] = Json::array();
  if (facts.resolution) {
    for (const policy::OfferedPlatform& offer : facts.resolution->platforms) {
      Json entry = platform_json(offer.platform);
      entry["digest"] = offer.digest;
      json["platforms"].push_back(std::move(entry));
    }
    for (const policy::PlatformFacts& platform : facts.platforms) {
      json["images"].push_back(platform_facts_json(report, platform));
    }
  }
  json["scan"] = scan_json(facts);
  if (report.content) json["content"] = content_as_json(*report.content);
  json["policy"] = nullptr;
  if (report.policy) {
    json["policy"] = {{"verdict", policy::verdict_word(report.policy->verdict)},
                      {"findings", report.policy->lines}};
  }
  return json;
}

}  // namespace

std::string images_as_json(const std::vector<ImageReport>& reports) {
  constexpr int kIndent = 2;
  Json json;
  json["schemaVersion"] = kSchemaVersion;
  json["images"] = Json::array();
  for (const ImageReport& report : reports) json["images"].push_back(image_json(report));
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace plimsoll::webhook::cli
