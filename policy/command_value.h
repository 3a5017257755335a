// Tells whether a value in a command line, and under what name, is a secret.
#pragma once

#include <string_view>

namespace plimsoll::policy {

inline constexpr std::string_view kSecretByName = "a secret by its name";
inline constexpr std::string_view kHeaderSecret = "a credential in a header";
inline constexpr std::string_view kUserSecret = "a user with a password";

// $TOKEN, ${TOKEN}, $(cat file), %TOKEN%, also within a value: names a secret, but is none.
bool is_value_reference(std::string_view value);

// `name` has the name of a secret: is `value` one? Quotes around it do not matter.
bool is_secret_value(std::string_view name, std::string_view value);

// By shape where it has one, else kSecretByName.
std::string_view secret_kind(std::string_view value);

// "--password" -> "password".
std::string_view without_dashes(std::string_view name);

bool equals_ignoring_case(std::string_view a, std::string_view lower_case);

}  // namespace plimsoll::policy
