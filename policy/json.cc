#include "policy/json.h"

#include <cmath>

namespace plimsoll::policy::json {

std::optional<std::int64_t> as_integer(const Element& element) {
  std::int64_t number = 0;
  if (element.get_int64().get(number) == simdjson::SUCCESS) return number;
  double real = 0;
  if (element.get_double().get(real) != simdjson::SUCCESS) return std::nullopt;
  constexpr double kLimit = 9007199254740992.0;  // 2^53: beyond it a double skips whole numbers
  if (std::trunc(real) != real || real > kLimit || real < -kLimit) return std::nullopt;
  return static_cast<std::int64_t>(real);
}

std::optional<Element> last_member(const Object& object, std::string_view key) {
  std::optional<Element> found;
  for (const auto& member : object) {
    if (member.key == key) found = member.value;
  }
  return found;
}

std::string_view type_name(const Element& element) {
  switch (element.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "a list";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING:
      return "a string";
    case simdjson::dom::element_type::BOOL:
      return "a boolean";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

void append_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (const char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

}  // namespace plimsoll::policy::json
