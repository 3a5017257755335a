#include <utility>

#include "webhook/scan/report_json.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr std::string_view kSomeVersion = "a later version";

// github.com/anchore/grype grype/presenter/models.
policy::Vulnerability read_match(const json::Object& match) {
  policy::Vulnerability found;
  if (const auto vulnerability = object_in(match, "vulnerability")) {
    found.id = text_in(*vulnerability, "id");
    found.severity = policy::severity_of(text_in(*vulnerability, "severity"));
    const auto fix = object_in(*vulnerability, "fix");
    if (fix && text_in(*fix, "state") == "fixed") {
      const auto versions = texts_in(*fix, "versions");
      found.fixed = versions.empty() ? kSomeVersion : cut_text(versions.front());
    }
  }
  if (const auto related = array_in(match, "relatedVulnerabilities")) {
    for (const json::Element element : *related) {
      const auto other = json::as_object(element);
      if (other) add_alias(found, text_in(*other, "id"));
    }
  }
  if (const auto artifact = object_in(match, "artifact")) {
    found.package = text_in(*artifact, "name");
    found.installed = text_in(*artifact, "version");
  }
  return found;
}

void read_subject(const json::Object& root, ReportItem& item) {
  const auto source = object_in(root, "source");
  const auto target = source ? object_in(*source, "target") : std::nullopt;
  if (!target) return;
  for (const std::string_view digest : texts_in(*target, "repoDigests")) {
    add_digest(item.digests, digest);
  }
  add_digest(item.digests, text_in(*target, "manifestDigest"));
  add_digest(item.digests, text_in(*target, "userInput"));
  add_digest(item.config_digests, text_in(*target, "imageID"));
}

}  // namespace

ReadItems read_grype(const json::Object& root) {
  ReportItem item;
  item.verdict.scanner = "Grype";
  if (const auto descriptor = object_in(root, "descriptor")) {
    item.verdict.scanner += " " + text_in(*descriptor, "version");
    item.verdict.scanned_at = time_in(*descriptor, "timestamp");
  }
  read_subject(root, item);
  const auto matches = objects_in(root, "matches");
  if (!matches) return std::unexpected(matches.error());
  Tally tally(true);
  for (const json::Object& match : *matches) tally.add(read_match(match));
  tally.finish(item.verdict);
  std::vector<ReportItem> items;
  items.push_back(std::move(item));
  return items;
}

}  // namespace plimsoll::webhook::scan
