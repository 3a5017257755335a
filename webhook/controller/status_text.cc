#include "webhook/controller/status_text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "policy/dates.h"
#include "policy/namespace_exceptions.h"

namespace plimsoll::webhook::controller {
namespace {

using policy_sources::ExceptionObject;
using policy_sources::ExceptionObjects;
using policy_sources::PolicyObject;
using policy_sources::PolicyObjects;
using Json = nlohmann::json;

constexpr std::size_t kNamed = 5;  // of a list in a message

Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto at = object.find(key);
  const auto* text = at == object.end() ? nullptr : at->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

struct Condition {
  const char* type;
  bool holds;
  std::string reason;
  std::string message;
};

// metav1.Condition; the time is when its status changed last.
Json condition_json(const Condition& condition,
                    std::int64_t generation,
                    const Json& before,
                    std::chrono::sys_seconds now) {
  const char* status = condition.holds ? "True" : "False";
  std::string since = policy::time_text(now);
  const auto conditions = before.find("conditions");
  if (conditions != before.end() && conditions->is_array()) {
    for (const Json& old : *conditions) {
      const bool same = text_at(old, "type") == condition.type && text_at(old, "status") == status;
      const std::string time = same ? text_at(old, "lastTransitionTime") : "";
      if (!time.empty()) since = time;
    }
  }
  return {{"type", condition.type},
          {"status", status},
          {"reason", condition.reason},
          {"message", condition.message},
          {"observedGeneration", generation},
          {"lastTransitionTime", since}};
}

std::string joined(const std::vector<std::string>& names, const char* separator = ", ") {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) {
    if (!text.empty()) text += separator;
    text += names[i];
  }
  if (names.size() > kNamed) text += fmt::format(" and {} more", names.size() - kNamed);
  return text;
}

bool ends_soon(const policy::Exception& exception, std::chrono::sys_seconds now) {
  return !exception.expired(now) &&
         exception.expires < std::chrono::floor<std::chrono::days>(now) + kSoon;
}

Condition acceptance(const PolicyObject& object) {
  if (object.refusal.empty()) return {"Accepted", true, "Valid", "this spec is in force"};
  std::string message = object.refusal;
  if (object.counts()) {
    message +=
        fmt::format("; the spec of generation {} stays in force", object.in_force_generation);
  }
  return {"Accepted", false, "Invalid", std::move(message)};
}

// What exceptions do to one policy.
struct Excepted {
  std::size_t count = 0;
  std::vector<std::string> soon;
};

Excepted exceptions_of(const PolicyObject& object,
                       const ExceptionObjects& exceptions,
                       std::chrono::sys_seconds now) {
  Excepted excepted;
  if (!object.counts()) return excepted;
  for (const policy::Exception& exception : object.in_force->exceptions) {
    excepted.count += exception.expired(now) ? 0 : 1;
    if (ends_soon(exception, now)) {
      excepted.soon.push_back(fmt::format("{} of {} until {}",
                                          exception.rules.front()->id,
                                          exception.owner,
                                          policy::date_text(exception.expires)));
    }
  }
  for (const auto& [key, asked] : exceptions.all()) {
    if (!asked.counts()) continue;
    const auto answer = policy::answer_exception(*object.in_force, *asked.wanted, now);
    if (!answer.taken || answer.taken->expired(now)) continue;
    ++excepted.count;
    if (ends_soon(*answer.taken, now)) {
      excepted.soon.push_back(
          fmt::format("{} until {}", key, policy::date_text(answer.taken->expires)));
    }
  }
  return excepted;
}

Condition acceptance(const ExceptionObject& object,
                     const std::vector<std::string>& taken,
                     const std::string& refused,
                     std::chrono::sys_seconds now) {
  if (!object.refusal.empty()) return {"Accepted", false, "Invalid", object.refusal};
  if (object.wanted->exception.expired(now)) {
    return {"Accepted",
            false,
            "Expired",
            "it ended on " + policy::date_text(object.wanted->exception.expires)};
  }
  if (!refused.empty()) {
    const std::string rest = taken.empty() ? "" : "; accepted by " + joined(taken);
    return {"Accepted", false, "RefusedByPolicy", refused + rest};
  }
  if (taken.empty()) {
    return {"Accepted", false, "NothingToExcept", "no policy has one of these rules on"};
  }
  return {"Accepted", true, "Accepted", "accepted by " + joined(taken)};
}

}  // namespace

bool says_the_same(const std::string& status, const std::string& other) {
  return parsed(status) == parsed(other);
}

std::string status_of(const PolicyObject& object,
                      const ExceptionObjects& exceptions,
                      std::chrono::sys_seconds now) {
  const Json before = parsed(object.status);
  const Excepted excepted = exceptions_of(object, exceptions, now);
  const Condition expiring{"ExceptionsExpiring",
                           !excepted.soon.empty(),
                           excepted.soon.empty() ? "NoneSoon" : "Soon",
                           excepted.soon.empty()
                               ? fmt::format("no exception ends within {} days", kSoon.count())
                               : joined(excepted.soon)};
  Json status = {{"observedGeneration", object.generation},
                 {"conditions",
                  Json::array({condition_json(acceptance(object), object.generation, before, now),
                               condition_json(expiring, object.generation, before, now)})},
                 {"rules", object.counts() ? object.in_force->rules.size() : 0},
                 {"exceptions", excepted.count},
                 {"expiring", excepted.soon.size()}};
  if (object.in_force) {
    status["inForce"] = {{"generation", object.in_force_generation},
                         {"spec", parsed(object.in_force_spec)}};
  }
  return status.dump();
}

std::string status_of(const ExceptionObject& object,
                      const PolicyObjects& policies,
                      std::chrono::sys_seconds now) {
  std::vector<std::string> taken;
  std::string refused;
  if (object.counts()) {
    for (const auto& [name, policy] : policies.all()) {
      if (!policy.counts()) continue;
      const auto answer = policy::answer_exception(*policy.in_force, *object.wanted, now);
      if (answer.taken) taken.push_back(name);
      if (refused.empty()) refused = answer.refused;
    }
  }
  const Condition condition = acceptance(object, taken, refused, now);
  const Json status = {
      {"observedGeneration", object.generation},
      {"conditions",
       Json::array({condition_json(condition, object.generation, parsed(object.status), now)})},
      {"policies", taken}};
  return status.dump();
}

}  // namespace plimsoll::webhook::controller
