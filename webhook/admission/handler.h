// POST /validate: what is refused before it is read, what it may cost, and who judges it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "webhook/admission/body_budget.h"
#include "webhook/admission/options.h"
#include "webhook/admission/reviewer.h"
#include "webhook/net/handler.h"
#include "webhook/telemetry/metrics.h"

namespace plimsoll::webhook::admission {

inline constexpr std::string_view kPath = "/validate";

class AdmissionHandler final : public net::Handler {
 public:
  // What is passed by reference must outlive the handler.
  AdmissionHandler(const AdmissionOptions& options,
                   Reviewer& reviewer,
                   telemetry::Metrics& metrics);

  net::Plan plan(const net::RequestHead& head, net::Answer& answer) override;
  void too_large(const net::RequestHead& head,
                 std::string_view prefix,
                 net::Answer& answer) override;
  std::unique_ptr<net::PendingAnswer> answer(const net::RequestHead& head,
                                             net::Plan& plan,
                                             std::string& body,
                                             net::Answer& answer,
                                             net::WakeSource& wakes) override;
  bool is_large(std::uint64_t body_bytes) const override {
    return body_bytes > options_.large_body;
  }
  void too_late(const net::RequestHead& head, std::string_view body, net::Answer& answer) override;
  net::Clock::time_point answer_by(const net::RequestHead& head) const override;
  void done(const net::Plan& plan) override;

  std::uint64_t in_flight() const { return in_flight_; }
  const BodyBudget& budget() const { return budget_; }

 private:
  bool refuse_head(const net::RequestHead& head, net::Answer& answer);
  void refuse(unsigned status, std::string_view text, net::Answer& answer);
  void shed(telemetry::ShedReason reason, std::string_view text, net::Answer& answer);
  bool charge_parsing(net::Plan& plan, std::string_view body, net::Answer& answer);

  const AdmissionOptions& options_;
  Reviewer& reviewer_;
  telemetry::Metrics& metrics_;
  BodyBudget budget_;
  std::atomic<std::uint64_t> in_flight_ = 0;
};

}  // namespace plimsoll::webhook::admission
