#include "policy/decision.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

JudgedFinding judged(Action action, const std::string& message) {
  JudgedFinding finding;
  finding.rule = all_rules().front();
  finding.action = action;
  finding.finding.message = message;
  finding.finding.subject = message;
  finding.remedy = "do this";
  finding.policies = {"p"};
  return finding;
}

Decision decision_of(Action action, int count, const std::string& message) {
  Decision decision;
  for (int i = 0; i < count; ++i) {
    decision.findings.push_back(judged(action, std::to_string(i) + " " + message));
  }
  settle(decision);
  return decision;
}

TEST(Decision, TheWorstActionIsTheVerdict) {
  EXPECT_EQ(decision_of(Action::kEnforce, 1, "m").verdict, Verdict::kDeny);
  EXPECT_EQ(decision_of(Action::kWarn, 1, "m").verdict, Verdict::kWarn);
  EXPECT_EQ(decision_of(Action::kAudit, 1, "m").verdict, Verdict::kAllow);
  EXPECT_EQ(decision_of(Action::kAudit, 0, "m").verdict, Verdict::kAllow);
}

TEST(Decision, ADenialSaysWhatWasFoundTheLimitAndTheFix) {
  Decision decision;
  decision.findings.push_back(judged(Action::kEnforce, "it is 912 MiB, limit 500 MiB"));
  decision.findings[0].finding.detail = "largest layer 510 MiB";
  settle(decision);
  EXPECT_EQ(denial_message(decision),
            "deny " + std::string(all_rules().front()->id) +
                ": it is 912 MiB, limit 500 MiB\n  largest layer 510 MiB\n  fix: do this");
}

TEST(Decision, ADenialStaysWithinItsLimit) {
  const std::string message = denial_message(decision_of(Action::kEnforce, 300, "some finding "));
  EXPECT_LE(message.size(), kMaxMessageBytes);
  EXPECT_THAT(message, HasSubstr("\nand "));
  EXPECT_THAT(message, testing::EndsWith("more findings"));
  const std::string long_message(20000, 'x');
  EXPECT_LE(denial_message(decision_of(Action::kEnforce, 3, long_message)).size(),
            kMaxMessageBytes);
}

TEST(Decision, WarningsFitTheApiServersBudget) {
  const auto lines = warning_lines(decision_of(Action::kWarn, 300, std::string(500, 'w')));
  ASSERT_EQ(lines.size(), kMaxWarnings);
  std::size_t runes = 0;
  for (const std::string& line : lines) {
    EXPECT_LE(rune_count(line), kMaxWarningRunes);
    runes += rune_count(line);
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
  EXPECT_LE(runes, 4096U);
  EXPECT_EQ(lines.back(), "and 291 more warnings");
}

TEST(Decision, AWarningThatIsTooLongHasShortDigests) {
  const std::string image = "image a@sha256:" + std::string(64, 'b') + " is odd: ";
  const std::string reason(120, 'r');
  const auto lines = warning_lines(decision_of(Action::kWarn, 1, image + reason));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("image a@sha256:bbbbbbbbbbbb... is odd: " + reason));
  EXPECT_THAT(warning_lines(decision_of(Action::kWarn, 1, image))[0], HasSubstr(image));
  const std::string no_digest = "image a@sha256:" + std::string(65, 'b') + reason + reason;
  EXPECT_THAT(warning_lines(decision_of(Action::kWarn, 1, no_digest))[0],
              HasSubstr(std::string(65, 'b')));
}

TEST(Decision, WarningsHaveNoControlCharacters) {
  const auto lines = warning_lines(decision_of(Action::kWarn, 1, "a\nb\tc\x1b[31m\xE2\x80\xAE"));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("a; b\\u{9}c\\u{1b}[31m\\u{202e}"));
}

TEST(Decision, EqualWarningsAreToldOnce) {
  Decision decision;
  decision.findings = {judged(Action::kWarn, "same"), judged(Action::kWarn, "same")};
  settle(decision);
  EXPECT_EQ(warning_lines(decision).size(), 1U);
}

TEST(Decision, AuditFindingsWarnNobody) {
  EXPECT_TRUE(warning_lines(decision_of(Action::kAudit, 3, "m")).empty());
  EXPECT_EQ(denial_message(decision_of(Action::kAudit, 3, "m")), "");
}

TEST(Decision, AnExpiredExceptionIsReported) {
  Decision decision;
  Exception exception;
  exception.owner = "team-a";
  exception.expires = std::chrono::sys_days(std::chrono::year(2026) / 1 / 9);
  decision.expired.push_back({"p", &exception, all_rules().front()});
  const auto lines = warning_lines(decision);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], StartsWith(std::string(all_rules().front()->id)));
  EXPECT_THAT(lines[0], HasSubstr("team-a"));
  EXPECT_THAT(lines[0], HasSubstr("2026-01-09"));
}

}  // namespace
}  // namespace plimsoll::policy
