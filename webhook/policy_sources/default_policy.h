// The policy that is used where none is given.
#pragma once

#include <string_view>

namespace plimsoll::webhook::policy_sources {

// One HygienePolicy named `default`, with an explanation of every rule in comments.
std::string_view default_policy_yaml();

}  // namespace plimsoll::webhook::policy_sources
