// Schemas of single fields of the custom resources, as apiextensions.k8s.io/v1 wants them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "policy/parameters.h"

namespace plimsoll::webhook::cli {

using Json = nlohmann::ordered_json;

Json text_schema(std::string_view description);
Json day_schema(std::string_view description);  // 2027-01-31
Json whole_number_schema(std::string_view description);
Json word_schema(std::string_view description, std::span<const std::string_view> words);

// Words of which one is "off". A plain off is false to YAML 1.1, and so to kubectl; readers of
// policies take it for the word.
Json word_or_off_schema(std::string_view description, std::span<const std::string_view> words);

Json list_schema(std::string_view description, Json items);
Json texts_schema(std::string_view description);

struct SchemaField {
  std::string_view name;
  Json schema;
  bool required = false;
};

enum class UnknownKeys { kKept, kPruned };

// Keys that are not known are kept where a person writes the object, so that a misspelt one reaches
// plimsoll, which names the nearest; the API server would drop it in silence.
Json object_schema(std::string_view description,
                   const std::vector<SchemaField>& fields,
                   UnknownKeys unknown = UnknownKeys::kKept);

// What the reader of policies takes for the parameter, and nothing of a wrong type.
Json parameter_schema(const policy::Parameter& parameter);

}  // namespace plimsoll::webhook::cli
