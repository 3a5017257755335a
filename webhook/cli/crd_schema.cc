#include "webhook/cli/crd_schema.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace plimsoll::webhook::cli {
namespace {

using policy::Parameter;
using policy::ParameterKind;

constexpr std::string_view kKeepUnknown = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kDay = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

Json typed_schema(std::string_view description, std::string_view type) {
  return Json::object({{"description", description}, {"type", type}});
}

// A text like 500Mi or any number, 0.5 as well. The types that a schema may join are the whole
// number and the text, so this one names none, and excludes the others by what they are.
Json quantity_schema(std::string_view description) {
  const Json others = {true, false, Json::array(), Json::object()};
  Json schema = Json::object({{"description", description}});
  schema["minimum"] = 0;
  schema["maxItems"] = 0;
  schema["maxProperties"] = 0;
  schema["not"] = Json::object({{"enum", others}});
  schema[kKeepUnknown] = true;
  return schema;
}

Json quantities_schema(std::string_view description) {
  Json schema = typed_schema(description, "object");
  schema["additionalProperties"] = quantity_schema("A quantity like 500m, 1Gi or 0.5.");
  return schema;
}

Json ignored_schema(std::string_view description) {
  return list_schema(
      description,
      object_schema(
          "One vulnerability.",
          {{"id", text_schema("As the scanner names it, like CVE-2026-1."), true},
           {"reason", text_schema("Why it does not count."), true},
           {"expires", day_schema("The last day on which it does not count, UTC."), true}}));
}

Json integer_schema(const Parameter& parameter, std::string_view description) {
  Json schema = whole_number_schema(description);
  schema["minimum"] = parameter.minimum;
  if (parameter.maximum != std::numeric_limits<std::int64_t>::max()) {
    schema["maximum"] = parameter.maximum;
  }
  return schema;
}

// A whole number, or the word none. Of texts a pattern speaks, of numbers the bounds do.
Json count_schema(const Parameter& parameter, std::string_view description) {
  Json schema = quantity_schema(description);
  schema["multipleOf"] = 1;
  schema["minimum"] = parameter.minimum;
  if (parameter.maximum != std::numeric_limits<std::int64_t>::max()) {
    schema["maximum"] = parameter.maximum;
  }
  schema["pattern"] = "^none$";
  return schema;
}

// Of a null, which says "none" as well.
Json or_none(Json schema) {
  schema["nullable"] = true;
  return schema;
}

std::string_view type_words(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kGlobList:
      return "Patterns: * and ? are wildcards. ";
    case ParameterKind::kImagePatternList:
      return "Patterns of images, like registry.example.com/team/*. ";
    case ParameterKind::kPlatformList:
      return "Platforms like linux/amd64. ";
    case ParameterKind::kCount:
      return "A whole number, or none. ";
    case ParameterKind::kSize:
      return "A size like 500Mi or 950M, or none. ";
    case ParameterKind::kDecimal:
      return "A number like 0.09, or none. ";
    case ParameterKind::kDuration:
      return "A duration like 168h or 30d, or none. ";
    default:
      return "";
  }
}

// The default as a person would say it.
std::string in_words(const Json& value) {
  if (value.is_null()) return "none";
  if (const auto* text = value.get_ptr<const std::string*>())
    return text->empty() ? "empty" : *text;
  if (!value.is_structured()) return value.dump();
  if (value.empty()) return "empty";
  std::string joined;
  for (const auto& [key, member] : value.items()) {
    if (!joined.empty()) joined += ", ";
    joined += (value.is_object() ? key + ": " : "") + in_words(member);
  }
  return joined;
}

// A sentence, unless it begins with one of the words to choose from.
std::string sentence(const Parameter& parameter) {
  std::string text(parameter.summary);
  const auto begins = [&text](std::string_view word) { return text.starts_with(word); };
  const bool capital = std::ranges::none_of(parameter.choices, begins);
  if (capital && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string parameter_description(const Parameter& parameter) {
  const Json fallback = Json::parse(parameter.default_json, nullptr, false);
  return fmt::format(
      "{}. {}Default: {}.", sentence(parameter), type_words(parameter.kind), in_words(fallback));
}

}  // namespace

Json text_schema(std::string_view description) {
  return typed_schema(description, "string");
}

Json day_schema(std::string_view description) {
  Json schema = text_schema(description);
  schema["pattern"] = kDay;
  return schema;
}

Json whole_number_schema(std::string_view description) {
  Json schema = typed_schema(description, "integer");
  schema["format"] = "int64";
  return schema;
}

Json word_schema(std::string_view description, std::span<const std::string_view> words) {
  Json schema = text_schema(description);
  schema["enum"] = words;
  return schema;
}

Json word_or_off_schema(std::string_view description, std::span<const std::string_view> words) {
  Json schema = Json::object({{"description", description}});
  schema["enum"] = words;
  schema["enum"].push_back(false);
  schema[kKeepUnknown] = true;
  return schema;
}

Json list_schema(std::string_view description, Json items) {
  Json schema = typed_schema(description, "array");
  schema["items"] = std::move(items);
  return schema;
}

Json texts_schema(std::string_view description) {
  return list_schema(description, Json::object({{"type", "string"}}));
}

Json object_schema(std::string_view description,
                   const std::vector<SchemaField>& fields,
                   UnknownKeys unknown) {
  Json schema = typed_schema(description, "object");
  Json required = Json::array();
  for (const SchemaField& field : fields) {
    schema["properties"][field.name] = field.schema;
    if (field.required) required.push_back(field.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  if (unknown == UnknownKeys::kKept) schema[kKeepUnknown] = true;
  return schema;
}

Json parameter_schema(const Parameter& parameter) {
  const std::string description = parameter_description(parameter);
  switch (parameter.kind) {
    case ParameterKind::kFlag:
      return typed_schema(description, "boolean");
    case ParameterKind::kInteger:
      return integer_schema(parameter, description);
    case ParameterKind::kText:
      return text_schema(description);
    case ParameterKind::kChoice:
      return word_schema(description, parameter.choices);
    case ParameterKind::kChoiceList:
      return list_schema(description,
                         Json::object({{"type", "string"}, {"enum", parameter.choices}}));
    case ParameterKind::kTextList:
    case ParameterKind::kGlobList:
    case ParameterKind::kImagePatternList:
    case ParameterKind::kPlatformList:
      return texts_schema(description);
    case ParameterKind::kQuantityMap:
      return quantities_schema(description);
    case ParameterKind::kCount:
      return or_none(count_schema(parameter, description));
    case ParameterKind::kSize:
    case ParameterKind::kDecimal:
      return or_none(quantity_schema(description));
    case ParameterKind::kDuration:
      return or_none(text_schema(description));
    case ParameterKind::kIgnoreList:
      return ignored_schema(description);
  }
  return text_schema(description);
}

}  // namespace plimsoll::webhook::cli
