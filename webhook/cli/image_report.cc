#include "webhook/cli/image_report.h"

#include <algorithm>

#include "policy/image_waste.h"

namespace plimsoll::webhook::cli {

bool ImageReport::is_known() const {
  if (!facts->resolution) return false;
  return std::ranges::all_of(facts->platforms, [](const policy::PlatformFacts& platform) {
    return platform.manifest.has_value() && platform.config.has_value();
  });
}

std::vector<Hint> hints_of(const policy::Manifest& manifest, const policy::ImageConfig* config) {
  std::vector<Hint> hints;
  for (const policy::WasteSign& sign : policy::find_waste(manifest, config)) {
    hints.push_back({sign.text + "; " + sign.advice, sign.at_most, sign.proof});
  }
  std::ranges::sort(hints, [](const Hint& a, const Hint& b) {
    return a.at_most != b.at_most ? a.at_most > b.at_most : a.text < b.text;
  });
  return hints;
}

policy::Quantity usual_price() {
  return policy::parse_quantity("0.09").value_or(policy::Quantity{});
}

}  // namespace plimsoll::webhook::cli
