#include "webhook/facts/scan_facts.h"

#include <string_view>
#include <vector>

namespace plimsoll::webhook::facts {

policy::Fact<std::shared_ptr<const policy::ScanVerdict>> scan_fact(
    std::span<const scan::VerdictSource* const> sources,
    const policy::ImageFacts& facts,
    const std::string& reference) {
  std::vector<std::string_view> manifests;
  std::vector<std::string_view> configs;
  for (const policy::PlatformFacts& platform : facts.platforms) {
    if (!platform.manifest) continue;
    manifests.push_back((*platform.manifest)->digest);
    configs.push_back((*platform.manifest)->config_digest);
  }
  scan::ScanSubject subject;
  if (facts.resolution) subject.index_digest = facts.resolution->digest;
  subject.manifest_digests = manifests;
  subject.config_digests = configs;
  subject.reference = reference;
  for (const scan::VerdictSource* source : sources) {
    auto verdict = source->find(subject);
    if (verdict != nullptr) return verdict;
  }
  return std::unexpected(
      policy::Unknown{policy::UnknownReason::kNoReport,
                      sources.empty() ? "no source of reports is configured" : ""});
}

std::uint64_t revision_of(std::span<const scan::VerdictSource* const> sources) {
  std::uint64_t revision = 1;
  for (const scan::VerdictSource* source : sources) revision += source->revision();
  return revision;
}

}  // namespace plimsoll::webhook::facts
