// What a policy, an exclusion or an exception applies to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/label_selector.h"

namespace plimsoll::policy {

struct KindPattern {
  std::optional<std::string> group;  // nothing: any group
  std::string kind;
};

// Fields are joined by AND, values within a field by OR; an empty field matches everything.
struct Match {
  std::vector<std::string> namespaces;  // globs
  std::optional<LabelSelector> namespace_selector;
  std::vector<KindPattern> kinds;
  std::vector<std::string> names;  // globs
  std::optional<LabelSelector> label_selector;
  std::vector<std::string> images;  // normalised globs; select containers, never the whole object
};

}  // namespace plimsoll::policy
