#include "webhook/admission/handler.h"

#include <algorithm>

#include <fmt/format.h>

#include "webhook/admission/timeout.h"
#include "webhook/net/answer_text.h"

namespace plimsoll::webhook::admission {
namespace {

constexpr std::chrono::milliseconds kMostBodyTime{10'000};

// "application/json", with whatever parameters. Media types ignore case.
bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(type, std::string_view("application/json"), {}, lower);
}

}  // namespace

AdmissionHandler::AdmissionHandler(const AdmissionOptions& options,
                                   Reviewer& reviewer,
                                   telemetry::Metrics& metrics)
    : options_(options), reviewer_(reviewer), metrics_(metrics), budget_(options.body_budget) {}

void AdmissionHandler::refuse(unsigned status, std::string_view text, net::Answer& answer) {
  metrics_.count_refused_request(status);
  net::set_refusal(answer, status, text);
  answer.close = false;  // the session closes where a body is left unread
}

// Repeated by the API server within its own deadline, on a new connection: perhaps to another
// replica.
void AdmissionHandler::shed(telemetry::ShedReason reason,
                            std::string_view text,
                            net::Answer& answer) {
  metrics_.count_shed(reason);
  net::set_refusal(answer, 503, text);
  answer.retry_after = true;
}

bool AdmissionHandler::refuse_head(const net::RequestHead& head, net::Answer& answer) {
  if (head.path != kPath) {
    refuse(404, "there is nothing here; reviews are posted to /validate", answer);
  } else if (head.method != "POST") {
    refuse(405, "reviews are posted", answer);
    answer.allow = "POST";
  } else if (!head.content_encoding.empty()) {
    refuse(415, "the body must not be encoded", answer);
  } else if (!is_json(head.content_type)) {
    refuse(415, "the Content-Type must be application/json", answer);
  } else {
    return false;
  }
  return true;
}

net::Plan AdmissionHandler::plan(const net::RequestHead& head, net::Answer& answer) {
  net::Plan plan;
  plan.answered = true;
  if (refuse_head(head, answer)) return plan;
  const bool unknown_length = !head.content_length;
  // A body that is too long costs nothing: only its beginning is read.
  const std::uint64_t length = unknown_length ? options_.max_body : *head.content_length;
  const std::uint64_t charge = length > options_.max_body ? 0 : length;
  if (in_flight_.fetch_add(1) >= options_.max_in_flight) {
    --in_flight_;
    shed(telemetry::ShedReason::kInFlight, "too many requests at once", answer);
    return plan;
  }
  if (!budget_.take(charge)) {
    --in_flight_;
    shed(telemetry::ShedReason::kMemory, "too many bytes at once", answer);
    return plan;
  }
  plan.answered = false;
  plan.charge = charge;
  plan.body_limit = options_.max_body;
  plan.body_by = head.received + std::min(timeout_of_query(head.query), kMostBodyTime);
  return plan;
}

void AdmissionHandler::done(const net::Plan& plan) {
  budget_.give_back(plan.charge);
  --in_flight_;
}

void AdmissionHandler::too_large(const net::RequestHead& /*head*/,
                                 std::string_view prefix,
                                 net::Answer& answer) {
  const std::string why = fmt::format("the review is larger than {} MiB; make the object smaller",
                                      options_.max_body >> 20U);
  if (!reviewer_.refuse(prefix, Reviewer::Limit::kTooLarge, why, answer)) refuse(413, why, answer);
  answer.close = true;
}

void AdmissionHandler::too_late(const net::RequestHead& /*head*/,
                                std::string_view body,
                                net::Answer& answer) {
  constexpr std::string_view kWhy = "other large reviews took all the time there was; try again";
  if (!reviewer_.refuse(body, Reviewer::Limit::kLate, kWhy, answer)) refuse(503, kWhy, answer);
}

net::Clock::time_point AdmissionHandler::answer_by(const net::RequestHead& head) const {
  return head.received + time_to_answer(timeout_of_query(head.query));
}

// Parsing takes memory beside the body: charged before it is done.
bool AdmissionHandler::charge_parsing(net::Plan& plan, std::string_view body, net::Answer& answer) {
  const std::uint64_t cost = cost_of_body(body);
  if (cost > budget_.limit()) {
    constexpr std::string_view kWhy =
        "parsing it would take more memory than all reviews may; make the object smaller";
    if (!reviewer_.refuse(body, Reviewer::Limit::kBudget, kWhy, answer)) refuse(413, kWhy, answer);
    return false;
  }
  const std::uint64_t extra = cost > plan.charge ? cost - plan.charge : 0;
  if (!budget_.take(extra)) {
    shed(telemetry::ShedReason::kMemory, "too many bytes at once", answer);
    return false;
  }
  plan.charge += extra;
  return true;
}

std::unique_ptr<net::PendingAnswer> AdmissionHandler::answer(const net::RequestHead& head,
                                                             net::Plan& plan,
                                                             std::string& body,
                                                             net::Answer& answer,
                                                             net::WakeSource& wakes) {
  std::unique_ptr<net::PendingAnswer> pending;
  if (charge_parsing(plan, body, answer)) {
    pending = reviewer_.review(body, answer_by(head), answer, wakes);
  }
  // Before its charge is given back. Assigning an empty string would keep the memory.
  if (is_large(body.capacity())) std::string().swap(body);
  return pending;
}

}  // namespace plimsoll::webhook::admission
