// The one place through which the JSON parser is reached, and the few reads that every reader
// needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <simdjson.h>

namespace plimsoll::policy::json {

using Array = simdjson::dom::array;
using Element = simdjson::dom::element;
using Object = simdjson::dom::object;
using Parser = simdjson::dom::parser;

// The views that these return live as long as the parser's current document.

inline std::optional<std::string_view> as_text(const Element& element) {
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

inline std::optional<bool> as_flag(const Element& element) {
  bool flag = false;
  if (element.get_bool().get(flag) != simdjson::SUCCESS) return std::nullopt;
  return flag;
}

// A whole number; 2.0 counts as 2, as for the API server's decoder; 2.5 and 2^63 do not count.
std::optional<std::int64_t> as_integer(const Element& element);

inline std::optional<Object> as_object(const Element& element) {
  Object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}

inline std::optional<Array> as_array(const Element& element) {
  Array array;
  if (element.get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  return array;
}

// The member of that name, the last one where the key is repeated, as the API server takes it.
std::optional<Element> last_member(const Object& object, std::string_view key);

// "a string", "an object", ...: for messages.
std::string_view type_name(const Element& element);

// Appends `token` to a JSON pointer, escaped by RFC 6901.
void append_token(std::string& pointer, std::string_view token);

}  // namespace plimsoll::policy::json
