#include <algorithm>
#include <span>
#include <utility>

#include "policy/dates.h"
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

// Several rules that lack the same fact about the same image for the same reason speak as one.
bool lacks_the_same(const JudgedFinding& a, const JudgedFinding& b) {
  return a.finding.unknown && b.finding.unknown && a.action == b.action &&
         a.finding.container == b.finding.container && a.existing == b.existing &&
         a.finding.message == b.finding.message;
}

// Empty where a finding before `at` speaks for it; else the rules that it speaks for.
std::string speaks_for(std::span<const JudgedFinding> findings, std::size_t at) {
  std::string rules(findings[at].rule->id);
  if (!findings[at].finding.unknown) return rules;
  // Findings of one action and container stand together.
  const auto beside = [&findings, at](std::size_t i) {
    return findings[i].action == findings[at].action &&
           findings[i].finding.container == findings[at].finding.container;
  };
  for (std::size_t after = at; after > 0 && beside(after - 1); --after) {
    if (lacks_the_same(findings[after - 1], findings[at])) return "";
  }
  for (std::size_t i = at + 1; i < findings.size() && beside(i); ++i) {
    if (!lacks_the_same(findings[i], findings[at])) continue;
    const std::string id(findings[i].rule->id);
    if (!rules.ends_with(id)) rules += ", " + id;
  }
  return rules;
}

// A digest is known by how it begins; a whole one leaves little room for what is wrong.
std::string with_short_digests(std::string text) {
  constexpr std::string_view kBefore = "@sha256:";
  constexpr std::size_t kHex = 64;
  constexpr std::size_t kKept = 12;
  for (std::size_t at = text.find(kBefore); at != std::string::npos; at = text.find(kBefore, at)) {
    at += kBefore.size();
    const std::size_t end = text.find_first_not_of("0123456789abcdef", at);
    if (std::min(end, text.size()) - at == kHex) text.replace(at + kKept, kHex - kKept, "...");
  }
  return text;
}

std::string warning_of(const JudgedFinding& judged, const std::string& rules) {
  std::string text = rules;
  text += ": ";
  text += judged.finding.message;
  if (judged.existing) text += " (was so before)";
  if (!judged.remedy.empty()) text += "; fix: " + judged.remedy;
  if (rune_count(text) > kMaxWarningRunes - 3) text = with_short_digests(std::move(text));
  return printable(one_line(text), kMaxWarningRunes - 3);
}

std::string not_looked_up_text(const Decision& decision) {
  std::string text;
  for (const Rule* rule : decision.not_looked_up) {
    text += text.empty() ? "\nnot looked up, since this is refused already: " : ", ";
    text += rule->id;
  }
  return text;
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
  for (std::size_t i = 0; i < decision.findings.size(); ++i) {
    if (decision.findings[i].action != Action::kEnforce) break;
    left += speaks_for(decision.findings, i).empty() ? 0 : 1;
  }
  constexpr std::size_t kRoomForMore = 384;  // and for the rules that were not applied
  std::string text;
  for (std::size_t i = 0; i < decision.findings.size(); ++i) {
    const JudgedFinding& judged = decision.findings[i];
    if (judged.action != Action::kEnforce) break;
    const std::string rules = speaks_for(decision.findings, i);
    if (rules.empty()) continue;
    std::string entry = text.empty() ? "deny " : "\ndeny ";
    entry += rules;
    entry += ": ";
    entry += finding_text(judged);
    if (text.size() + entry.size() > kMaxMessageBytes - kRoomForMore) {
      return text + (text.empty() ? "" : "\n") + and_more(left, "finding") +
             not_looked_up_text(decision);
    }
    text += entry;
    --left;
  }
  return text + not_looked_up_text(decision);
}

std::vector<std::string> warning_lines(const Decision& decision) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < decision.findings.size(); ++i) {
    if (decision.findings[i].action != Action::kWarn) continue;
    const std::string rules = speaks_for(decision.findings, i);
    if (!rules.empty()) lines.push_back(warning_of(decision.findings[i], rules));
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
