#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "policy/image_history.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"
#include "policy/size_text.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kMaximum = 0;
constexpr std::size_t kPodMaximum = 1;
constexpr std::size_t kCostAbove = 2;
constexpr std::size_t kPrice = 3;
constexpr std::array<Parameter, 4> kParameters = {{
    {.name = "maximum",
     .kind = ParameterKind::kSize,
     .default_json = R"("1Gi")",
     .summary = "of one image for one platform, compressed, as a registry stores it"},
    {.name = "podMaximum",
     .kind = ParameterKind::kSize,
     .default_json = "null",
     .summary = "of all images of a pod, compressed; layers that they share count once"},
    {.name = "costAbove",
     .kind = ParameterKind::kDecimal,
     .default_json = "null",
     .summary = "what one pull may cost at most"},
    {.name = "pricePerGB",
     .kind = ParameterKind::kDecimal,
     .default_json = R"("0.09")",
     .summary = "of 10^9 bytes; the default is the price of internet egress at large clouds"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kManifest | kConfig;
}

// "largest layer 510 MiB: RUN ...; a pull costs up to $0.086 (0.09 $/GB internet egress)"
std::string detail_of(const RuleInput& input,
                      const Manifest& manifest,
                      const ImageConfig* config,
                      SizeUnits units) {
  std::string text;
  const LayerOrigin* largest = nullptr;
  const std::vector<LayerOrigin> origins = layer_origins(manifest, config);
  for (const LayerOrigin& origin : origins) {
    if (largest == nullptr || origin.layer->size > largest->layer->size) largest = &origin;
  }
  if (largest != nullptr) {
    text = "largest layer " + size_text(largest->layer->size, units);
    if (largest->history != nullptr) {
      text += ": " + shown_instruction(largest->history->created_by);
    }
  }
  const OptionalQuantity& price = input.parameters.quantity(kPrice);
  if (!price) return text;
  const bool usual = price->text == "0.09";
  text += (text.empty() ? "" : "; ");
  text += "a pull costs up to " + cost_text(pull_cost(manifest.pull_bytes, price->value)) + " (" +
          price->text + " $/GB" + (usual ? " internet egress" : "") + ")";
  return text;
}

struct Excess {
  bool too_large = false;
  bool too_dear = false;
  Quantity cost;

  bool any() const { return too_large || too_dear; }
};

Excess excess_of(const RuleInput& input, const Manifest& manifest) {
  const OptionalQuantity& maximum = input.parameters.quantity(kMaximum);
  const OptionalQuantity& cost_above = input.parameters.quantity(kCostAbove);
  const OptionalQuantity& price = input.parameters.quantity(kPrice);
  Excess excess;
  excess.too_large = maximum && exceeds(manifest.compressed_bytes, maximum->value);
  if (!price) return excess;
  excess.cost = pull_cost(manifest.pull_bytes, price->value);
  excess.too_dear = cost_above && excess.cost > cost_above->value;
  return excess;
}

void add_excess(const RuleInput& input,
                const Container& container,
                const PlatformFacts& platform,
                const Excess& excess,
                std::vector<Finding>& findings) {
  const OptionalQuantity& maximum = input.parameters.quantity(kMaximum);
  const OptionalQuantity& cost_above = input.parameters.quantity(kCostAbove);
  const Manifest& manifest = **platform.manifest;
  const SizeUnits units = maximum ? units_of(maximum->text) : SizeUnits::kBinary;
  Finding& finding = add_image_finding(input, container, findings);
  finding.found = excess.too_large
                      ? size_above(manifest.compressed_bytes, maximum->text, maximum->value)
                      : size_text(manifest.compressed_bytes, units);
  finding.limit = excess.too_large ? limit_text(maximum->text, maximum->value)
                                   : "$" + cost_above->text + " a pull";
  finding.message = describe_image(container) + " is " + finding.found + " compressed (" +
                    platform_text(platform.platform) + ")";
  if (excess.too_large) finding.message += ", limit " + finding.limit;
  if (excess.too_dear) {
    finding.message += std::string(excess.too_large ? ", and" : ":") + " a pull costs up to " +
                       cost_text(excess.cost) + ", limit $" + cost_above->text;
  }
  finding.detail =
      detail_of(input, manifest, platform.config ? platform.config->get() : nullptr, units);
}

// The largest of the platforms that are too large, or else too dear.
void judge_image(const RuleInput& input,
                 const Container& container,
                 const ImageFacts& facts,
                 std::vector<Finding>& findings) {
  const PlatformFacts* worst = nullptr;
  Excess of_worst;
  for (const PlatformFacts& platform : facts.platforms) {
    if (!platform.manifest) continue;
    const Manifest& manifest = **platform.manifest;
    const Excess excess = excess_of(input, manifest);
    if (!excess.any() || (of_worst.too_large && !excess.too_large)) continue;
    const bool worse = worst == nullptr || (excess.too_large && !of_worst.too_large) ||
                       manifest.compressed_bytes > (*worst->manifest)->compressed_bytes;
    if (!worse) continue;
    worst = &platform;
    of_worst = excess;
  }
  if (worst != nullptr) return add_excess(input, container, *worst, of_worst, findings);
  add_gravest_unknown(input, container, facts, kManifest, findings);
}

// What a node has to pull for one platform: each blob once, also where images share it.
struct Sum {
  std::uint64_t bytes = 0;
  std::set<std::string_view> blobs;
  std::set<std::string_view> images;

  void add(std::string_view digest, std::uint64_t size) {
    constexpr std::uint64_t kMost = ~std::uint64_t{0};
    if (blobs.insert(digest).second) bytes = size > kMost - bytes ? kMost : bytes + size;
  }
  void add(const Manifest& manifest) {
    images.insert(manifest.digest);
    add(manifest.config_digest, manifest.config_size);
    for (const Layer& layer : manifest.layers) add(layer.digest, layer.size);
  }
};

void judge_pod(const RuleInput& input, std::vector<Finding>& findings) {
  const OptionalQuantity& maximum = input.parameters.quantity(kPodMaximum);
  if (!maximum) return;
  std::map<std::string, Sum> sums;
  bool all_known = true;
  for_each_image(input, [&](const Container&, const ImageFacts& facts) {
    for (const PlatformFacts& platform : facts.platforms) {
      all_known = all_known && platform.manifest.has_value();
      if (platform.manifest) sums[platform_text(platform.platform)].add(**platform.manifest);
    }
  });
  const auto largest =
      std::ranges::max_element(sums, {}, [](const auto& entry) { return entry.second.bytes; });
  if (largest == sums.end() || !exceeds(largest->second.bytes, maximum->value)) return;
  const auto& [platform, sum] = *largest;
  Finding& finding = findings.emplace_back();
  finding.subject = "pod";
  finding.pointer = pod_spec_pointer(input.workload);
  finding.found = size_above(sum.bytes, maximum->text, maximum->value);
  finding.limit = limit_text(maximum->text, maximum->value);
  finding.message = "the pod's " + std::to_string(sum.images.size()) +
                    (sum.images.size() == 1 ? " image is " : " images are together ") +
                    finding.found + " compressed (" + platform + "), limit " + finding.limit;
  if (!all_known) finding.detail = "images whose size is not known come on top";
  finding.remedy = "smaller images, or images on one base, whose layers count once";
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    judge_image(input, container, facts, findings);
  });
  judge_pod(input, findings);
}

}  // namespace

constinit const Rule kImageSize = {
    .id = "image-size",
    .title = "Images are light",
    .why =
        "Every node that runs the pod pulls the image: its size is paid for in start-up time, in "
        "disk and in traffic. Sizes are compressed, as the registry stores them, for one platform; "
        "`docker images` shows the larger unpacked ones.",
    .remedy = "multi-stage build, or an exception with owner, reason and expiry",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
