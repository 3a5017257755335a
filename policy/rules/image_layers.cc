#include <algorithm>
#include <array>
#include <utility>

#include "policy/image_history.h"
#include "policy/printable.h"
#include "policy/rules/image_rule.h"
#include "policy/rules/rule_table.h"
#include "policy/size_text.h"

namespace plimsoll::policy::rules {
namespace {

constexpr std::size_t kMaximumLayer = 0;
constexpr std::size_t kMaximumCount = 1;
constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "maximumLayer",
     .kind = ParameterKind::kSize,
     .default_json = R"("300Mi")",
     .summary = "of one layer, compressed"},
    {.name = "maximumCount",
     .kind = ParameterKind::kCount,
     .default_json = "40",
     .summary = "of layers; runtimes stop at 127"},
}};

FactSet needs(const RuleInput& /*input*/, const Container& /*container*/) {
  return kManifest | kConfig;
}

struct Excess {
  const LayerOrigin* too_large = nullptr;
  bool too_many = false;
};

void add(const RuleInput& input,
         const Container& container,
         const PlatformFacts& platform,
         const Excess& excess,
         std::vector<Finding>& findings) {
  const OptionalQuantity& maximum = input.parameters.quantity(kMaximumLayer);
  const std::string layers = std::to_string((*platform.manifest)->layers.size());
  const std::string on_platform = " (" + platform_text(platform.platform) + ")";
  Finding& finding = add_image_finding(input, container, findings);
  finding.message = describe_image(container);
  if (excess.too_large != nullptr) {
    const LayerOrigin& layer = *excess.too_large;
    const std::string limit = limit_text(maximum->text, maximum->value);
    finding.found = size_above(layer.layer->size, maximum->text, maximum->value);
    finding.limit = limit + " a layer";
    finding.message +=
        " has a layer of " + finding.found + " compressed" + on_platform + ", limit " + limit;
    finding.detail = "layer " + std::to_string(layer.index + 1) + " of " + layers + ", " +
                     printable(layer.layer->digest);
    if (layer.history != nullptr) {
      finding.detail += ": " + shown_instruction(layer.history->created_by);
    }
  }
  if (!excess.too_many) return;
  const std::string limit = std::to_string(*input.parameters.count(kMaximumCount));
  if (excess.too_large == nullptr) {
    finding.found = layers + " layers";
    finding.limit = limit + " layers";
    finding.message += " has " + layers + " layers" + on_platform + ", limit " + limit;
  } else {
    finding.message += ", and " + layers + " layers, limit " + limit;
  }
}

// The platform with the largest layer that is too large, or else the one with the most layers.
void judge_image(const RuleInput& input,
                 const Container& container,
                 const ImageFacts& facts,
                 std::vector<Finding>& findings) {
  const OptionalQuantity& maximum = input.parameters.quantity(kMaximumLayer);
  const auto most = input.parameters.count(kMaximumCount);
  const PlatformFacts* worst = nullptr;
  std::pair<std::uint64_t, std::size_t> badness;  // of the worst: largest layer, number of layers
  for (const PlatformFacts& platform : facts.platforms) {
    if (!platform.manifest) continue;
    const std::vector<Layer>& layers = (*platform.manifest)->layers;
    const auto largest = std::ranges::max_element(layers, {}, &Layer::size);
    const bool too_large =
        maximum && largest != layers.end() && exceeds(largest->size, maximum->value);
    const bool too_many = most && std::cmp_greater(layers.size(), *most);
    if (!too_large && !too_many) continue;
    const std::pair bad(too_large ? largest->size : 0, layers.size());
    if (worst != nullptr && bad <= badness) continue;
    worst = &platform;
    badness = bad;
  }
  if (worst == nullptr) {
    add_gravest_unknown(input, container, facts, kManifest, findings);
    return;
  }
  const ImageConfig* config = worst->config ? worst->config->get() : nullptr;
  const std::vector<LayerOrigin> origins = layer_origins(**worst->manifest, config);
  Excess excess;
  excess.too_many = most && std::cmp_greater(origins.size(), *most);
  if (badness.first > 0) {
    excess.too_large = &*std::ranges::max_element(
        origins, {}, [](const LayerOrigin& origin) { return origin.layer->size; });
  }
  add(input, container, *worst, excess, findings);
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  for_each_image(input, [&](const Container& container, const ImageFacts& facts) {
    judge_image(input, container, facts, findings);
  });
}

}  // namespace

constinit const Rule kImageLayers = {
    .id = "image-layers",
    .title = "Layers are few, and none is too large",
    .why =
        "A layer is pulled and unpacked as a whole and cannot be shared in parts: one large layer "
        "holds up every start, and changes as a whole with every small change in it.",
    .remedy = "split what changes seldom from what changes often, join what belongs together",
    .parameters = kParameters,
    .check = check,
    .needs = needs,
};

}  // namespace plimsoll::policy::rules
