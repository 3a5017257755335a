// Judges one review: bytes in, answer out, counted and logged. Knows nothing of HTTP.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "policy/engine.h"
#include "webhook/admission/circumstances.h"
#include "webhook/admission/options.h"
#include "webhook/admission/response.h"
#include "webhook/admission/review_reader.h"
#include "webhook/admission/workspace.h"
#include "webhook/facts/gathering.h"
#include "webhook/net/handler.h"
#include "webhook/net/snapshot.h"
#include "webhook/telemetry/log.h"
#include "webhook/telemetry/metrics.h"

namespace plimsoll::webhook::admission {

class Reviewer {
 public:
  // What is passed by reference must outlive the reviewer. Without `facts` nothing is known of any
  // image, and nothing is asked.
  Reviewer(const AdmissionOptions& options,
           const net::Snapshot<policy::PolicySet>& policies,
           facts::FactsService* facts,
           ClusterSources cluster,
           telemetry::Log& log,
           telemetry::Metrics& metrics);

  // `body` must have simdjson's padding behind its end. Fills `answer`: an AdmissionReview, or an
  // HTTP error where there is nobody to answer. Where facts have to be waited for, the answer comes
  // later: before `answer_by`, with whatever is known by then.
  std::unique_ptr<net::PendingAnswer> review(std::string_view body,
                                             net::Clock::time_point answer_by,
                                             net::Answer& answer,
                                             net::WakeSource& wakes);

  // A verdict without judgement, for the uid that a scan finds in `prefix`. False where there is
  // none.
  enum class Limit : std::uint8_t { kTooLarge, kTooDeep, kTooMany, kBudget, kLate, kMalformed };
  bool refuse(std::string_view prefix, Limit limit, std::string_view why, net::Answer& answer);

 private:
  struct Task;
  class Waiting;

  // False: something is not known, and worth waiting for.
  bool judge(Task& task);
  bool passes_unjudged(Task& task);
  void judge_own(Task& task);
  bool read_objects(Task& task);
  bool evaluate(Task& task);
  bool evaluate_known(Task& task);
  std::unique_ptr<net::PendingAnswer> answer_later(std::unique_ptr<Task> task,
                                                   net::WakeSource& wakes);
  policy::Review review_of(const Task& task) const;
  policy::Decision decision_of(const Task& task, const policy::FactTable& facts) const;
  void decide(Task& task, const policy::Decision& decision);
  bool answer_own(std::string_view body, net::Answer& answer);
  void parse_failed(simdjson::error_code error, std::string_view body, net::Answer& answer);
  void verdict(Task& task, Limit limit, std::string_view why);
  void limit_response(Limit limit, std::string_view why, Response& response) const;
  bool allowed_by_options(Limit limit) const;
  void finish(Task& task, telemetry::Result result);
  void count_findings(const Task& task, const policy::Decision& decision);
  void log_decision(const Task& task, const policy::Decision& decision);
  void note_once(const Task& task, std::size_t what, std::string_view event);

  const AdmissionOptions& options_;
  const net::Snapshot<policy::PolicySet>& policies_;
  facts::FactsService* facts_;
  ClusterSources cluster_;
  telemetry::Log& log_;
  telemetry::Metrics& metrics_;
  std::array<std::atomic<bool>, 8> noted_{};  // what has been logged once
};

}  // namespace plimsoll::webhook::admission
