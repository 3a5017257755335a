// The HygieneException document: what a namespace asks to be excepted from.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "policy/exception.h"
#include "policy/policy_document.h"

namespace plimsoll::policy {

struct NamespaceException {
  std::string name;
  std::string name_space;
  std::optional<std::chrono::sys_seconds> created;  // by the API server's clock
  std::vector<std::string> policies;                // by name; empty: every policy
  Exception exception;                              // for its own namespace alone
};

// All problems at once. `document` is one HygieneException object with a namespace.
std::expected<NamespaceException, std::vector<Problem>> parse_namespace_exception(
    const json::Element& document);

}  // namespace plimsoll::policy
