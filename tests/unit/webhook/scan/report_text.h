// Reports for tests: digests to name, and reading at a fixed time.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "policy/dates.h"
#include "webhook/scan/report_reader.h"

namespace plimsoll::webhook::scan {

inline std::string digest_of(char digit) {
  return "sha256:" + std::string(64, digit);
}

inline const std::chrono::sys_seconds kNow = *policy::parse_time("2026-08-20T12:00:00Z");

inline std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// DIGEST, CONFIG and OTHER stand for digests of a's, c's and d's.
inline std::string with_digests(std::string text) {
  text = replaced(std::move(text), "DIGEST", digest_of('a'));
  text = replaced(std::move(text), "CONFIG", digest_of('c'));
  return replaced(std::move(text), "OTHER", digest_of('d'));
}

inline std::expected<std::vector<ReportItem>, std::string> read_text(
    const std::string& text, const std::string& file_digest = "") {
  return read_report(with_digests(text), {file_digest, kNow});
}

// The only item; a default one, and a failed test, where there is none.
inline ReportItem read_one(const std::string& text, const std::string& file_digest = "") {
  auto items = read_text(text, file_digest);
  EXPECT_TRUE(items.has_value()) << items.error();
  if (!items) return {};
  EXPECT_EQ(items->size(), 1U);
  return items->empty() ? ReportItem() : std::move(items->front());
}

// "critical high medium low negligible unknown", fixable behind a slash where known.
inline std::string counts_text(const policy::ScanVerdict& verdict) {
  std::string text;
  for (const policy::SeverityCount& count : verdict.counts) {
    text += (text.empty() ? "" : " ") + std::to_string(count.total);
    if (count.fixable) text += "/" + std::to_string(*count.fixable);
  }
  return text;
}

}  // namespace plimsoll::webhook::scan
