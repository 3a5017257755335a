// Reads one entry of match, exclude or an exception's match.
#pragma once

#include "policy/document_reader.h"
#include "policy/policy_set.h"

namespace plimsoll::policy {

// An entry without fields is a problem where `empty` is refused: it would select everything.
Match read_match(const Node& node, Emptiness empty, Problems& problems);

// Patterns of namespaces, which are DNS labels: other characters would make one that never matches.
std::vector<std::string> read_namespaces(const Node& node, Problems& problems);

LabelSelector read_label_selector(const Node& node, Problems& problems);

}  // namespace plimsoll::policy
