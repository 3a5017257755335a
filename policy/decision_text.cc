#include <algorithm>

#include "policy/decision.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::size_t kMaxFindingRunes = 1024;

std::string and_more(std::size_t left, std::string_view what) {
  return "and " + std::to_string(left) + " more " + std::string(what) + (left == 1 ? "" : "s");
}

// One line: breaks become "; ".
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += "; ";
    } else {
      line += c;
    }
  }
  return line;
}

std::string warning_of(const JudgedFinding& judged) {
  std::string text(judged.rule->id);
  text += ": ";
  text += judged.finding.message;
  if (judged.existing) text += " (was so before)";
  if (!judged.remedy.empty()) text += "; fix: " + judged.remedy;
  return printable(one_line(text), kMaxWarningRunes - 3);
}

std::string warning_of(const ExpiredException& expired) {
  std::string text(expired.rule->id);
  text += ": the exception of " + expired.exception->owner + " in policy ";
  text += std::string(expired.policy) + " expired on " + date_text(expired.exception->expires) +
          "; renew it or fix the finding";
  return printable(text, kMaxWarningRunes - 3);
}

}  // namespace

std::string finding_text(const JudgedFinding& judged) {
  std::string text = judged.finding.message;
  std::string_view detail = judged.finding.detail;
  while (!detail.empty()) {
    const std::size_t end = std::min(detail.find('\n'), detail.size());
    text += "\n  ";
    text += detail.substr(0, end);
    detail.remove_prefix(std::min(end + 1, detail.size()));
  }
  if (!judged.remedy.empty()) text += "\n  fix: " + judged.remedy;
  return printable_lines(text, kMaxFindingRunes);
}

std::string denial_message(const Decision& decision) {
  std::size_t left = 0;
  for (const JudgedFinding& judged : decision.findings) left += judged.action == Action::kEnforce;
  constexpr std::size_t kRoomForMore = 64;
  std::string text;
  for (const JudgedFinding& judged : decision.findings) {
    if (judged.action != Action::kEnforce) break;
    std::string entry = text.empty() ? "deny " : "\ndeny ";
    entry += judged.rule->id;
    entry += ": ";
    entry += finding_text(judged);
    if (text.size() + entry.size() > kMaxMessageBytes - kRoomForMore) {
      return text + (text.empty() ? "" : "\n") + and_more(left, "finding");
    }
    text += entry;
    --left;
  }
  return text;
}

std::vector<std::string> warning_lines(const Decision& decision) {
  std::vector<std::string> lines;
  for (const JudgedFinding& judged : decision.findings) {
    if (judged.action == Action::kWarn) lines.push_back(warning_of(judged));
  }
  for (const ExpiredException& expired : decision.expired) lines.push_back(warning_of(expired));
  std::vector<std::string> unique;
  for (std::string& line : lines) {
    const bool room = unique.size() <= 4 * kMaxWarnings;  // bounds the search
    if (room && std::ranges::find(unique, line) != unique.end()) continue;
    unique.push_back(std::move(line));
  }
  if (unique.size() > kMaxWarnings) {
    const std::size_t left = unique.size() - (kMaxWarnings - 1);
    unique.resize(kMaxWarnings - 1);
    unique.push_back(and_more(left, "warning"));
  }
  return unique;
}

}  // namespace plimsoll::policy
