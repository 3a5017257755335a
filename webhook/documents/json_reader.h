// JSON values one after another, validated, each with the positions of all it contains.
#pragma once

#include <string_view>

#include "webhook/documents/document.h"
#include "webhook/documents/yaml_expander.h"

namespace plimsoll::webhook::documents {

enum class JsonOutcome {
  kRead,     // all of it; problems, if any, have been added
  kNotJson,  // nothing was added: perhaps it is YAML in flow style
};

// `text` begins at `start` of the file with '{' or '['.
JsonOutcome read_json(std::string_view text,
                      Position start,
                      const DocumentLimits& limits,
                      Budget& budget,
                      DocumentStream& stream);

}  // namespace plimsoll::webhook::documents
