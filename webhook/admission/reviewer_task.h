// One review on its way through the Reviewer: for the sources of this folder only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/printable.h"
#include "webhook/admission/reviewer.h"

namespace plimsoll::webhook::admission {

// One review on its way.
struct Reviewer::Task {
  WorkspaceLease workspace;
  Envelope envelope;
  const policy::WorkloadKind* kind = nullptr;
  policy::Workload object;
  std::optional<policy::Workload> old_object;
  Response response;
  std::shared_ptr<const policy::PolicySet> policies;
  Circumstances circumstances;
  std::unique_ptr<facts::Gathering> facts;  // once the circumstances are known
  net::Clock::time_point answer_by;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

inline std::string_view name_of(const Envelope& envelope, const policy::Workload& object) {
  if (!envelope.name.empty()) return envelope.name;
  if (!object.name.empty()) return object.name;
  return object.generate_name.empty() ? std::string_view() : std::string_view("<generated>");
}

// Names in the log are as long as Kubernetes allows, whoever posts the review.
inline std::string logged(std::string_view name) {
  constexpr std::size_t kMaxNameRunes = 253;
  return policy::printable(name, kMaxNameRunes);
}

}  // namespace plimsoll::webhook::admission
