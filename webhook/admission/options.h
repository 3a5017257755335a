// How the admission endpoint behaves where policies have nothing to say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "policy/engine.h"

namespace plimsoll::webhook::admission {

struct AdmissionOptions {
  policy::EvaluationOptions evaluation;    // mode, names of controllers
  std::uint64_t max_body = 32u << 20;      // bytes of one review
  std::uint64_t body_budget = 128u << 20;  // bytes of all reviews at once, see body_budget.h
  std::uint64_t large_body = 1u << 20;     // beyond it one at a time, on a thread of their own
  std::size_t max_in_flight = 512;         // requests between head and answer
  std::chrono::milliseconds facts_budget{4'000};  // for looking images up, of one review
  std::chrono::milliseconds facts_reserve{500};   // between the last fact and the answer
  bool allow_malformed = false;   // reviews and objects that cannot be read as they should be
  bool allow_over_limit = false;  // too large, too deep, too many containers
  bool allow_late = false;        // not judged before the deadline
};

}  // namespace plimsoll::webhook::admission
