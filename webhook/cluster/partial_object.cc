#include "webhook/cluster/partial_object.h"

#include <fmt/format.h>

#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/cluster/raw_json.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace json = policy::json;

// How many keys name the place of what cannot be read.
constexpr std::size_t kMostKeys = 8;
constexpr std::size_t kMaxKeyRunes = 64;
// Each is parsed by itself, so many small ones cost more than they are worth.
constexpr std::size_t kMostMembers = 1'000;
// A little less than the parser's own limit: parts are put together again, which nests them deeper.
constexpr std::size_t kMaxDepth = 1'000;

simdjson::error_code error_in(json::Parser& parser, std::string_view text) {
  const simdjson::padded_string padded(text);
  return parser.parse(padded).error();
}

std::string_view words_of(simdjson::error_code error) {
  if (error == simdjson::NUMBER_ERROR) return "a number that is too large";
  if (error == simdjson::DEPTH_ERROR) return "nested deeper than 1,000 levels";
  return "this is not JSON";
}

void append_member(std::string& object, std::string_view key, std::string_view value) {
  object += object.empty() ? "{\"" : ",\"";
  object += key;
  object += "\":";
  object += value;
}

// The innermost member, as far as keys go, that cannot be read.
std::string trouble_of(json::Parser& parser, const RawPart& unread, simdjson::error_code error) {
  std::string_view value = unread.value;
  std::string path = policy::printable(unread.key, kMaxKeyRunes);
  for (std::size_t keys = 1; keys < kMostKeys && error != simdjson::DEPTH_ERROR; ++keys) {
    RawParts parts(value);
    if (!parts.is_object()) break;
    RawPart part;
    simdjson::error_code inner = simdjson::SUCCESS;
    for (std::size_t i = 0; i < kMostMembers && inner == simdjson::SUCCESS; ++i) {
      if (!parts.next(part)) break;
      inner = error_in(parser, part.value);
    }
    if (inner == simdjson::SUCCESS) break;
    path += "." + policy::printable(part.key, kMaxKeyRunes);
    value = part.value;
    error = inner;
  }
  return fmt::format("{}: {}", path, words_of(error));
}

// Managed fields are as deep as what they tell of.
std::string readable_members(json::Parser& parser, std::string_view metadata) {
  std::string kept;
  RawParts parts(metadata);
  RawPart part;
  for (std::size_t i = 0; i < kMostMembers && parts.next(part); ++i) {
    if (error_in(parser, part.value) == simdjson::SUCCESS)
      append_member(kept, part.key, part.value);
  }
  return kept.empty() ? "" : kept + "}";
}

bool has_name(const std::string& text) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return false;
  const auto object = json::as_object(root);
  const auto metadata = object ? json::last_member(*object, "metadata") : std::nullopt;
  const auto fields = metadata ? json::as_object(*metadata) : std::nullopt;
  const auto name = fields ? json::last_member(*fields, "name") : std::nullopt;
  return name && !json::as_text(*name).value_or("").empty();
}

}  // namespace

std::optional<PartialObject> read_partly(std::string_view object) {
  PartialObject partial;
  json::Parser parser;
  if (parser.allocate(object.size() + 1, kMaxDepth) != simdjson::SUCCESS) return std::nullopt;
  RawParts parts(object);
  RawPart part;
  for (std::size_t i = 0; i < kMostMembers && parts.next(part); ++i) {
    const simdjson::error_code error = error_in(parser, part.value);
    if (error == simdjson::SUCCESS) {
      append_member(partial.text, part.key, part.value);
    } else if (part.key == "metadata") {
      const std::string kept = readable_members(parser, part.value);
      if (!kept.empty()) append_member(partial.text, part.key, kept);
    } else if (partial.trouble.empty()) {
      partial.trouble = trouble_of(parser, part, error);
    }
  }
  if (!parts.is_object() || !parts.complete()) return std::nullopt;
  partial.text += partial.text.empty() ? "{}" : "}";
  if (!has_name(partial.text)) return std::nullopt;
  return partial;
}

}  // namespace plimsoll::webhook::cluster
