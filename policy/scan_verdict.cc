#include "policy/scan_verdict.h"

#include <algorithm>

#include "policy/ascii.h"

namespace plimsoll::policy {
namespace {

struct Word {
  std::string_view word;  // in lower case
  Severity severity;
};

constexpr std::array<Word, 17> kWords = {{
    {"critical", Severity::kCritical},
    {"defcon1", Severity::kCritical},
    {"high", Severity::kHigh},
    {"important", Severity::kHigh},
    {"error", Severity::kHigh},
    {"medium", Severity::kMedium},
    {"moderate", Severity::kMedium},
    {"warning", Severity::kMedium},
    {"low", Severity::kLow},
    {"note", Severity::kLow},
    {"negligible", Severity::kNegligible},
    {"informational", Severity::kNegligible},
    {"minimal", Severity::kNegligible},
    {"none", Severity::kNegligible},
    {"unknown", Severity::kUnknown},
    {"undefined", Severity::kUnknown},
    {"severity_unspecified", Severity::kUnknown},
}};

constexpr double kCriticalScore = 9.0;
constexpr double kHighScore = 7.0;
constexpr double kMediumScore = 4.0;

}  // namespace

std::string_view severity_word(Severity severity) {
  constexpr std::array<std::string_view, kSeverities> kNames = {
      "critical", "high", "medium", "low", "negligible", "unknown"};
  return kNames[static_cast<std::size_t>(severity)];
}

Severity severity_of(std::string_view word) {
  const auto same = [word](const Word& row) {
    return std::ranges::equal(word, row.word, {}, to_lower);
  };
  const auto at = std::ranges::find_if(kWords, same);
  return at == kWords.end() ? Severity::kUnknown : at->severity;
}

Severity severity_of_score(double score) {
  if (score >= kCriticalScore) return Severity::kCritical;
  if (score >= kHighScore) return Severity::kHigh;
  if (score >= kMediumScore) return Severity::kMedium;
  return score > 0 ? Severity::kLow : Severity::kUnknown;
}

}  // namespace plimsoll::policy
