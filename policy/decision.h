// Findings made into an answer: what is decided, in which order it is told, and in which words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy_set.h"
#include "policy/review.h"

namespace plimsoll::policy {

enum class Mode : std::uint8_t { kAudit, kWarn, kEnforce };  // caps every action
enum class Verdict : std::uint8_t { kAllow, kWarn, kDeny };

// A finding after exception, ratchet, controllerCreated and mode.
struct JudgedFinding {
  const Rule* rule = nullptr;
  Finding finding;
  Action policy_action = Action::kOff;     // what the policy says
  Action action = Action::kOff;            // what is left of it
  std::vector<std::string_view> policies;  // every policy that has it
  const Exception* exception = nullptr;    // the one that covers it; action is then kAudit at most
  bool existing = false;                   // the old object had it too
  bool controller_capped = false;          // made by a built-in controller: judged at its template
  bool mode_capped = false;
  std::string remedy;  // the rule's, one line
};

// An exception that would have covered a finding, had it not expired.
struct ExpiredException {
  std::string_view policy;
  const Exception* exception = nullptr;
  const Rule* rule = nullptr;
};

// Views and pointers are into the policy set and the review: it must not outlive them.
struct Decision {
  Verdict verdict = Verdict::kAllow;
  std::vector<JudgedFinding>
      findings;  // enforce before warn before audit; then container, rule, subject
  std::vector<ExpiredException> expired;
  // Rules that were not applied to every image, because nobody looked up what they need.
  std::vector<const Rule*> not_looked_up;
  bool old_unreadable = false;  // existing findings could not be told from new ones
  bool controller_skipped = false;
  bool namespace_labels_failed = false;  // a policy was applied although they might exclude it
};

// There is nothing to tell anybody.
inline bool says_nothing(const Decision& decision) {
  return decision.findings.empty() && decision.expired.empty() && !decision.old_unreadable;
}

std::string_view verdict_word(Verdict verdict);  // "allow", "warn", "deny"
std::string_view mode_word(Mode mode);           // "audit", "warn", "enforce"

// Makes equal findings one: that with the greater action speaks, and it names every policy.
void merge_equal(std::vector<JudgedFinding>& findings);

// Sets the verdict from the findings' actions and puts them in order.
void settle(Decision& decision);

inline constexpr std::size_t kMaxMessageBytes = 4096;
inline constexpr std::size_t kMaxWarnings = 10;
inline constexpr std::size_t kMaxWarningRunes = 240;
inline constexpr std::size_t kMaxCauses = 32;

// One finding as a person reads it, without rule id: message, detail lines and `fix: ...`, each
// further line indented by two blanks. `existing`, expiry and policies are not part of it.
std::string finding_text(const JudgedFinding& finding);

// The text of status.message of a denial: every enforced finding, "deny RULE: ..." first, at most
// kMaxMessageBytes, ending in "and N more" where cut; only line feeds of the control characters.
std::string denial_message(const Decision& decision);

// The warnings of an answer: at most kMaxWarnings of one line and kMaxWarningRunes each (so that
// all fit into the API server's 4,096), most severe first, the last "and N more" where some are
// left out.
std::vector<std::string> warning_lines(const Decision& decision);

}  // namespace plimsoll::policy
