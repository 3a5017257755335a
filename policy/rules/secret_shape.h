// Tells by name and by shape whether a value that stands in the open is a secret.
#pragma once

#include <string_view>

namespace plimsoll::policy::rules {

// True for names such as DB_PASSWORD, apiKey, GITHUB_TOKEN; false for MONKEY, PASSENGER_ROOT, and
// for names that speak about a secret instead of holding it: TOKEN_URL, PASSWORD_FILE, SECRET_NAME.
bool is_secret_name(std::string_view name);

// What the value is by its shape, "an AWS access key", "a private key", "a URL with a password";
// empty: nothing that is known.
std::string_view secret_shape(std::string_view value);

// Values that are no secret under any name: empty, references ($(VAR), ${VAR}), booleans, file
// paths, URLs without a password.
bool is_harmless_value(std::string_view value);

// A number, perhaps with a unit of time: a limit or a duration under a name such as MAX_TOKEN or
// TOKEN_LIFE, but a secret under DB_PASSWORD.
bool is_number(std::string_view value);

// True if the name is that of a password, where even a number is one.
bool is_password_name(std::string_view name);

}  // namespace plimsoll::policy::rules
