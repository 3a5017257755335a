// /livez, /readyz and /metrics: what the kubelet and Prometheus ask.
#pragma once

#include <functional>
#include <string>

#include "webhook/net/handler.h"
#include "webhook/telemetry/metrics.h"

namespace plimsoll::webhook::admission {

struct Readiness {
  bool ready = false;
  std::string text;  // lines for people: what is in force, what went wrong
};

class HealthHandler final : public net::Handler {
 public:
  HealthHandler(std::function<Readiness()> readiness, const telemetry::Metrics& metrics);

  net::Plan plan(const net::RequestHead& head, net::Answer& answer) override;
  // No body is ever wanted, so these are not called.
  void too_large(const net::RequestHead&, std::string_view, net::Answer&) override {}
  std::unique_ptr<net::PendingAnswer> answer(
      const net::RequestHead&, net::Plan&, std::string&, net::Answer&, net::WakeSource&) override {
    return nullptr;
  }
  bool is_large(std::uint64_t) const override { return false; }
  void too_late(const net::RequestHead&, std::string_view, net::Answer&) override {}
  net::Clock::time_point answer_by(const net::RequestHead& head) const override {
    return head.received;
  }
  void done(const net::Plan&) override {}

 private:
  std::function<Readiness()> readiness_;
  const telemetry::Metrics& metrics_;
};

}  // namespace plimsoll::webhook::admission
