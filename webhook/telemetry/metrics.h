// What is counted, for Prometheus. No label holds text from a request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "policy/decision.h"
#include "policy/review.h"
#include "policy/workload_reader.h"

namespace plimsoll::webhook::telemetry {

// How a review ended.
enum class Result : std::uint8_t { kAllow, kWarn, kDeny, kLimit, kMalformed, kIgnored };
// What became of a finding.
enum class FindingResult : std::uint8_t {
  kDenied,
  kWarned,
  kAudited,
  kExcepted,
  kExisting,
  kController
};
// Why a request was turned away before it was judged.
enum class ShedReason : std::uint8_t { kInFlight, kMemory };

struct ReviewLabels {
  policy::Operation operation = policy::Operation::kOther;
  const policy::WorkloadKind* kind = nullptr;  // nullptr: "other"
  Result result = Result::kAllow;
  bool dry_run = false;
};

// Counting is an atomic addition; what has been counted once needs no look-up again. Safe to use
// from any thread.
class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  void count_review(const ReviewLabels& labels, double seconds);
  void count_finding(const policy::JudgedFinding& finding,
                     FindingResult result,
                     const policy::WorkloadKind* kind);
  void count_unknown(policy::UnknownReason reason);  // a fact that a finding is about
  void count_shed(ShedReason reason);
  void count_refused_request(unsigned status);  // HTTP errors of the admission path

  // A value that is asked for when somebody looks. `name` without the prefix "plimsoll_".
  enum class Type : std::uint8_t { kGauge, kCounter };
  void watch(Type type, std::string name, std::string help, std::function<double()> read);

  // The Prometheus text format, version 0.0.4.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plimsoll::webhook::telemetry
