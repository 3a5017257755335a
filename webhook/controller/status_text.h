// What the status of HygienePolicy and HygieneException objects should say.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "webhook/policy_sources/policy_objects.h"

namespace plimsoll::webhook::controller {

inline constexpr std::chrono::days kSoon{14};  // exceptions that end within it are about to expire

// JSON text of the whole status. Times of conditions that do not change are taken from the status
// as it is.
std::string status_of(const policy_sources::PolicyObject& object,
                      const policy_sources::ExceptionObjects& exceptions,
                      std::chrono::sys_seconds now);
std::string status_of(const policy_sources::ExceptionObject& object,
                      const policy_sources::PolicyObjects& policies,
                      std::chrono::sys_seconds now);

// Whether two texts of a status say the same.
bool says_the_same(const std::string& status, const std::string& other);

}  // namespace plimsoll::webhook::controller
