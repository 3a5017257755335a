// Any bytes as a scan report: refused with a sentence, or items that keep their promises.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "webhook/scan/report_reader.h"

namespace policy = plimsoll::policy;
namespace scan = plimsoll::webhook::scan;

namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'787'000'000)};

bool keeps_promises(const scan::ReportItem& item) {
  const policy::ScanVerdict& verdict = item.verdict;
  if (item.digests.empty() && item.config_digests.empty() && item.references.empty()) return false;
  if (verdict.vulnerabilities.size() > policy::kMaxVulnerabilities) return false;
  if (verdict.scanned_at && *verdict.scanned_at > kNow + std::chrono::minutes(5)) return false;
  std::array<std::uint64_t, policy::kSeverities> listed{};
  for (const policy::Vulnerability& found : verdict.vulnerabilities) {
    ++listed[static_cast<std::size_t>(found.severity)];
  }
  for (std::size_t i = 0; i < policy::kSeverities; ++i) {
    const policy::SeverityCount& count = verdict.counts[i];
    if (count.total < listed[i]) return false;
    if (verdict.list_complete && count.total != listed[i]) return false;
    if (count.fixable && *count.fixable > count.total) return false;
    if (verdict.has_fix_information && !count.fixable) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string name = "sha256-" + std::string(64, 'a') + ".json";
  const std::string digest = scan::digest_of_file_name(name);
  for (const std::string_view file_digest : {std::string_view(), std::string_view(digest)}) {
    const auto items = scan::read_report(text, {file_digest, kNow});
    if (!items && items.error().empty()) std::abort();
    if (!items) continue;
    for (const scan::ReportItem& item : *items) {
      if (!keeps_promises(item)) std::abort();
    }
  }
  scan::digest_of_file_name(text.substr(0, 128));
  return 0;
}
