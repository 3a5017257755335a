// Images made up in a few words, and what a rule says of them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "policy/policy_document.h"
#include "policy/rule.h"
#include "tests/support/parsed_workload.h"

namespace plimsoll::tests {

inline constexpr std::chrono::sys_seconds kNow =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + std::chrono::hours(12);
inline constexpr std::uint64_t kMi = 1u << 20U;

inline policy::Layer layer(std::uint64_t size, const std::string& name) {
  policy::Layer made;
  made.digest = "sha256:" + name;
  made.size = size;
  made.compression = policy::LayerCompression::kGzip;
  return made;
}

inline policy::HistoryEntry step(std::string created_by, bool empty = false) {
  return {std::move(created_by), "", empty};
}

// One platform of an image; fields are changed before it is used.
struct Image {
  policy::Platform platform{"linux", "amd64", "", ""};
  policy::Manifest manifest;
  policy::ImageConfig config;

  explicit Image(std::vector<policy::Layer> layers = {}) {
    manifest.digest = "sha256:manifest";
    manifest.config_digest = "sha256:config";
    config.created = kNow - std::chrono::days(10);
    config.user = "65532";
    manifest.layers = std::move(layers);
  }

  policy::PlatformFacts facts() const {
    policy::Manifest whole = manifest;
    policy::ImageConfig full = config;
    full.platform = platform;
    whole.compressed_bytes = whole.pull_bytes = whole.config_size;
    for (const policy::Layer& each : whole.layers) {
      whole.compressed_bytes += each.size;
      whole.pull_bytes += each.size;
      if (config.diff_ids.empty()) full.diff_ids.push_back("diff of " + each.digest);
    }
    return {platform,
            std::make_shared<const policy::Manifest>(std::move(whole)),
            std::make_shared<const policy::ImageConfig>(std::move(full))};
  }
};

inline policy::ImageFacts facts_of(const std::vector<policy::PlatformFacts>& platforms) {
  policy::Resolution resolution;
  resolution.digest = "sha256:top";
  resolution.is_index = platforms.size() > 1;
  resolution.checked = kNow;
  resolution.first_seen = kNow - std::chrono::hours(2);
  return {std::move(resolution),
          platforms,
          std::unexpected(policy::Unknown{policy::UnknownReason::kNoReport, ""})};
}

inline policy::ImageFacts facts_of(const Image& image) {
  return facts_of({image.facts()});
}

inline policy::PlatformFacts unknown_platform(policy::UnknownReason reason,
                                              std::string_view platform = "linux/arm64") {
  const policy::Unknown why{reason, ""};
  return {*policy::parse_platform(platform), std::unexpected(why), std::unexpected(why)};
}

// A rule as a policy sets it: `parameters` is JSON, `"maximum": "1Gi"`.
class SetRule {
 public:
  SetRule(const std::string& id, const std::string& parameters) {
    const std::string text =
        R"({"apiVersion":"plimsoll.dev/v1alpha1","kind":"HygienePolicy","metadata":{"name":"p"},
            "spec":{"rules":{")" +
        id + R"(":{"action":"enforce")" + (parameters.empty() ? "" : ",") + parameters + "}}}}";
    policy::json::Parser parser;
    policy::json::Element root;
    EXPECT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
    auto policy = policy::parse_policy(root);
    EXPECT_TRUE(policy) << (policy ? "" : policy.error()[0].pointer + policy.error()[0].message);
    if (policy) setting_ = policy->rules.front();
  }

  const policy::Rule& rule() const { return *setting_.rule; }
  const policy::Parameters& parameters() const { return setting_.parameters; }

 private:
  policy::RuleSetting setting_;
};

// A pod whose containers have the images whose facts are given, named c0, c1, ...
class Pod {
 public:
  explicit Pod(std::vector<policy::ImageFacts> images, const std::string& fields = "")
      : Pod(images.size(), fields, "") {
    for (policy::ImageFacts& facts : images) {
      facts_.push_back(std::make_shared<const policy::ImageFacts>(std::move(facts)));
    }
  }
  explicit Pod(const Image& image) : Pod(std::vector{facts_of(image)}) {}
  // Nobody looked anything up. `in_container`: further fields of the container.
  Pod(std::size_t containers, const std::string& fields, const std::string& in_container)
      : workload_(text_of(containers, fields, in_container)) {}

  void looked_up(const policy::ImageFacts& facts) {
    facts_.push_back(std::make_shared<const policy::ImageFacts>(facts));
  }
  void compare_with(const std::string& reference, const policy::ImageFacts& facts) {
    compared_.push_back({reference, std::make_shared<const policy::ImageFacts>(facts)});
  }

  std::vector<policy::Finding> judge(const std::string& rule,
                                     const std::string& parameters = "") const {
    const SetRule set(rule, parameters);
    std::vector<const policy::Container*> containers;
    for (const policy::Container& container : workload_->containers) {
      containers.push_back(&container);
    }
    std::vector<policy::Finding> findings;
    set.rule().check({*workload_, containers, set.parameters(), {facts_, compared_}, kNow},
                     findings);
    return findings;
  }

  // Messages with their details, each line ended.
  std::string said(const std::string& rule, const std::string& parameters = "") const {
    std::string text;
    for (const policy::Finding& finding : judge(rule, parameters)) {
      text += finding.message + "\n";
      if (!finding.detail.empty()) text += finding.detail + "\n";
    }
    return text;
  }

  policy::FactSet needs(const std::string& rule, const std::string& parameters = "") const {
    const SetRule set(rule, parameters);
    const policy::Container* container = workload_->containers.data();
    const std::vector<const policy::Container*> containers = {container};
    return set.rule().needs({*workload_, containers, set.parameters()}, *container);
  }

 private:
  static std::string text_of(std::size_t containers,
                             const std::string& fields,
                             const std::string& in_container) {
    std::string list;
    for (std::size_t i = 0; i < containers; ++i) {
      const std::string number = std::to_string(i);
      if (i > 0) list += ',';
      list += R"({"name":"c)";
      list += number;
      list += R"(","image":"registry.test/i)";
      list += number;
      list += R"(:1")";
      list += in_container;
      list += '}';
    }
    return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{)" + fields +
           (fields.empty() ? "" : ",") + R"("containers":[)" + list + "]}}";
  }

  ParsedWorkload workload_;
  std::vector<std::shared_ptr<const policy::ImageFacts>> facts_;
  std::vector<policy::ComparedImage> compared_;
};

}  // namespace plimsoll::tests
