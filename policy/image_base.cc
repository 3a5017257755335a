#include "policy/image_base.h"

#include <algorithm>
#include <span>

namespace plimsoll::policy {
namespace {

constexpr std::string_view kName = "org.opencontainers.image.base.name";
constexpr std::string_view kDigest = "org.opencontainers.image.base.digest";

void add_claim(const KeyValues& pairs, std::string_view source, std::vector<BaseClaim>& claims) {
  const auto name = find_value(pairs, kName);
  const auto digest = find_value(pairs, kDigest);
  if (!name && !digest) return;
  claims.push_back({std::string(name.value_or("")), std::string(digest.value_or("")), source});
}

}  // namespace

std::vector<BaseClaim> base_claims(const Manifest& manifest,
                                   const Resolution* resolution,
                                   const ImageConfig& config) {
  std::vector<BaseClaim> claims;
  add_claim(manifest.annotations, "annotation", claims);
  if (claims.empty() && resolution != nullptr) {
    add_claim(resolution->annotations, "annotation", claims);
  }
  if (claims.empty()) add_claim(config.labels, "label", claims);
  return claims;
}

bool is_built_on(const ImageConfig& image, const ImageConfig& base) {
  return !base.diff_ids.empty() && base.diff_ids.size() < image.diff_ids.size() &&
         std::ranges::equal(base.diff_ids, std::span(image.diff_ids).first(base.diff_ids.size()));
}

}  // namespace plimsoll::policy
