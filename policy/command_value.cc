#include "policy/command_value.h"

#include <algorithm>
#include <cstddef>

#include "policy/ascii.h"
#include "policy/rules/secret_shape.h"

namespace plimsoll::policy {
namespace {

constexpr std::size_t kLookedAt = 1024;  // bytes of a value: its kind shows in them

bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

}  // namespace

bool is_value_reference(std::string_view value) {
  if (value.size() > 1 && value.starts_with('%') && value.ends_with('%')) return true;
  for (const std::string_view inside : {"${", "$(", " $"}) {
    if (value.find(inside) != std::string_view::npos) return true;
  }
  if (value.size() < 2 || value[0] != '$') return false;
  return is_upper(value[1]) || is_lower(value[1]) || value[1] == '_';
}

bool is_secret_value(std::string_view name, std::string_view value) {
  value = value.substr(0, kLookedAt);
  while (!value.empty() && is_quote(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_quote(value.back())) value.remove_suffix(1);
  if (value.empty() || is_value_reference(value)) return false;
  if (rules::is_harmless_value(value) && rules::secret_shape(value).empty()) return false;
  return !rules::is_number(value) || rules::is_password_name(name);
}

std::string_view secret_kind(std::string_view value) {
  const std::string_view shape = rules::secret_shape(value.substr(0, kLookedAt));
  return shape.empty() ? kSecretByName : shape;
}

std::string_view without_dashes(std::string_view name) {
  while (name.starts_with('-') || name.starts_with('.')) name.remove_prefix(1);
  return name;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, {}, to_lower);
}

}  // namespace plimsoll::policy
