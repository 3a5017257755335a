#include "webhook/scan/report_reader.h"

#include <algorithm>
#include <utility>

#include "policy/dates.h"
#include "webhook/scan/report_json.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::chrono::minutes kClockSkew{5};
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_neutral(const json::Object& root) {
  const std::string version = text_in(root, "apiVersion");
  const std::string kind = text_in(root, "kind");
  if (version == "imageverdicts/v1") return kind.empty() || kind == "ImageVerdicts";
  return version == "plimsoll.dev/v1alpha1" && kind == "ImageVerdicts";
}

ReadItems read_known(const json::Object& root) {
  if (is_neutral(root)) return read_neutral(root);
  if (json::last_member(root, "SchemaVersion")) return read_trivy(root);
  if (array_in(root, "matches")) return read_grype(root);
  if (array_in(root, "runs")) return read_sarif(root);
  return std::unexpected(
      "it is no report that is known: Trivy's or Grype's JSON, SARIF, or plimsoll.dev/v1alpha1 "
      "ImageVerdicts");
}

bool has(const std::vector<std::string>& digests, std::string_view digest) {
  return std::ranges::find(digests, digest) != digests.end();
}

// A digest in the file's name speaks for a report that holds one image. A configuration's digest
// in the content is no other opinion: it is never what a manifest's is.
std::string settle_digests(std::vector<ReportItem>& items, std::string_view file_digest) {
  for (ReportItem& item : items) {
    const bool any = !item.digests.empty() || !item.config_digests.empty();
    if (file_digest.empty()) {
      if (any || !item.references.empty()) continue;
      if (items.size() > 1) return "an item names no digest, and does not allow a match by tag";
      return "it names no digest; name the file sha256-<digest of the image>.json";
    }
    if (has(item.digests, file_digest) || has(item.config_digests, file_digest)) continue;
    if (items.size() > 1) return "it is about several images, and its name says one digest";
    if (!item.digests.empty()) return "its name says another digest than its content";
    item.digests.emplace_back(file_digest);
  }
  return "";
}

std::string finish(std::vector<ReportItem>& items, std::chrono::sys_seconds now) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    policy::ScanVerdict& verdict = items[i].verdict;
    if (verdict.scanned_at && *verdict.scanned_at > now + kClockSkew) {
      const std::string where = items.size() > 1 ? "items[" + std::to_string(i) + "]: " : "";
      return where + "it was scanned in the future, at " + policy::time_text(*verdict.scanned_at) +
             "; see to the clocks";
    }
    const auto& digests = items[i].digests.empty() ? items[i].config_digests : items[i].digests;
    if (!digests.empty()) verdict.subject_digest = digests.front();
    while (verdict.scanner.ends_with(' ')) verdict.scanner.pop_back();
  }
  return "";
}

}  // namespace

std::string digest_of_file_name(std::string_view name) {
  std::string_view stem = name.substr(0, name.rfind('.'));
  const bool prefixed = stem.starts_with("sha256-") || stem.starts_with("sha256:");
  if (prefixed) stem.remove_prefix(std::string_view("sha256-").size());
  return digest_in("sha256:" + std::string(stem));
}

std::expected<std::vector<ReportItem>, std::string> read_report(std::string_view text,
                                                                const ReportContext& context) {
  if (text.size() > kMaxReportBytes) return std::unexpected("it is larger than 16 MiB");
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  const bool allocated =
      parser.allocate(std::max<std::size_t>(text.size(), 1), kMaxDepth) == simdjson::SUCCESS;
  const auto error = allocated ? parser.parse(padded).get(root) : simdjson::MEMALLOC;
  if (error == simdjson::DEPTH_ERROR) return std::unexpected("it is nested deeper than 64 levels");
  if (error != simdjson::SUCCESS) return std::unexpected("it is not valid JSON");
  const auto object = json::as_object(root);
  if (!object) return std::unexpected("it is no JSON object");
  auto items = read_known(*object);
  if (!items) return items;
  std::string problem = settle_digests(*items, context.file_digest);
  if (problem.empty()) problem = finish(*items, context.now);
  if (!problem.empty()) return std::unexpected(std::move(problem));
  return items;
}

}  // namespace plimsoll::webhook::scan
