// A YAML tree written as JSON text: aliases expanded, merge keys applied, duplicate keys refused.
#pragma once

#include <cstddef>
#include <expected>

#include "webhook/documents/document.h"
#include "webhook/documents/yaml_tree.h"

namespace plimsoll::webhook::documents {

// What all documents of one input may still use.
struct Budget {
  std::size_t json_bytes = 0;
  std::size_t values = 0;
};

// The document without `source`. `tree` must have a root and no problem. Merge keys apply in the
// order in which they stand, as for kubectl: a `<<` behind a key replaces it.
std::expected<Document, DocumentProblem> expand(const YamlTree& tree,
                                                const DocumentLimits& limits,
                                                Budget& budget);

}  // namespace plimsoll::webhook::documents
