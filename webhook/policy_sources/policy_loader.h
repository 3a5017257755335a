// Policies read from files: all of them, or a list of everything that is wrong.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "policy/exception_document.h"
#include "policy/policy_set.h"

namespace plimsoll::webhook::policy_sources {

inline constexpr std::size_t kMaxPolicyFileBytes = 1u << 20;
inline constexpr std::size_t kMaxPolicyFiles = 512;
inline constexpr std::size_t kMaxPolicies = 2'048;

using ErrorLines = std::vector<std::string>;  // "path:line:column: message", or "path: message"

struct PolicySource {
  std::string name;  // the path, or "default policy"
  std::string text;
};

// Every file that the paths mean; without paths, the built-in default.
std::expected<std::vector<PolicySource>, ErrorLines> read_policy_sources(
    const std::vector<std::string>& paths);

// Twelve hexadecimal digits that change with any name or byte.
std::string revision_of(const std::vector<PolicySource>& sources);

// HygienePolicy documents, and HygieneException documents with what the policies take of them.
struct PolicyDocuments {
  policy::PolicySet policies;
  std::vector<policy::NamespaceException> exceptions;
};
std::expected<PolicyDocuments, ErrorLines> parse_documents(const std::vector<PolicySource>& sources,
                                                           bool namespace_labels_known);

// The policies of it, one at least. With `namespace_labels_known` false, a policy with a
// namespaceSelector is an error: it would silently never match.
std::expected<policy::PolicySet, ErrorLines> parse_policies(
    const std::vector<PolicySource>& sources, bool namespace_labels_known);

// Files or directories (*.yaml, *.yml, *.json); no paths: the built-in default.
std::expected<policy::PolicySet, ErrorLines> load_policies(const std::vector<std::string>& paths,
                                                           bool namespace_labels_known = true);

}  // namespace plimsoll::webhook::policy_sources
