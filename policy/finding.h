// What a rule has found: where, what, against which limit, and in words.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "policy/quantity.h"
#include "policy/unknown.h"
#include "policy/workload.h"

namespace plimsoll::policy {

struct Finding {
  const Container* container = nullptr;  // nullptr: about the pod as a whole
  // Tells findings of one rule and container apart, and old from new on UPDATE: the normalised
  // reference for image rules, the variable's name for secret-env, "requests.cpu" for resources,
  // empty for something missing. Never a value of a secret, never a position.
  std::string subject;
  std::string pointer;  // JSON pointer of the place to look at
  std::string found;    // "tag latest"
  std::string limit;    // "a fixed tag"
  // One line, what was found and the limit, without rule id and remedy:
  // `container "web" image x is 912 MiB compressed, limit 500 MiB`.
  std::string message;
  std::string detail;  // further lines, without indentation; usually empty
  // How bad it is, where the same key can get worse on UPDATE: larger is worse.
  std::optional<Quantity> badness;
  // The finding is that a fact is not known: the policy's onUnknown decides what that means, and
  // the remedy is that of the reason.
  std::optional<Unknown> unknown;
  // Unknown, but for so short a time that it is only recorded.
  bool in_grace = false;
  // Overrides the rule's remedy where the finding has a better one.
  std::string remedy;
};

// Orders findings of one rule by what tells them apart: container class, container (by name; by
// position where it has none) and subject. Equal ones are the same finding.
std::strong_ordering compare_keys(const Finding& a, const Finding& b);

// `container "web"`, `init container "setup"`, `sidecar "proxy"`, `ephemeral container "debug"`,
// `image volume "models"`, `container #2` (counted from 1) where it has no name.
std::string describe(const Container& container);

// `container "web" image nginx:1.2`, the image printable and cut.
std::string describe_image(const Container& container);

// The normalised reference, or the raw text where it cannot be parsed.
std::string image_subject(const Container& container);

}  // namespace plimsoll::policy
