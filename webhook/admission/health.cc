#include "webhook/admission/health.h"

#include <utility>

#include "webhook/net/answer_text.h"

namespace plimsoll::webhook::admission {

HealthHandler::HealthHandler(std::function<Readiness()> readiness,
                             const telemetry::Metrics& metrics)
    : readiness_(std::move(readiness)), metrics_(metrics) {}

net::Plan HealthHandler::plan(const net::RequestHead& head, net::Answer& answer) {
  net::Plan plan;
  plan.answered = true;
  const bool known = head.path == "/livez" || head.path == "/readyz" || head.path == "/metrics";
  if (!known || (head.method != "GET" && head.method != "HEAD")) {
    net::set_refusal(
        answer, known ? 405 : 404, known ? "only GET" : "/livez, /readyz and /metrics");
    if (known) answer.allow = "GET, HEAD";
    answer.close = false;
    return plan;
  }
  answer.content_type = "text/plain; charset=utf-8";
  if (head.path == "/livez") {
    answer.body = "ok\n";
  } else if (head.path == "/metrics") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics_.text();
  } else {
    Readiness readiness = readiness_();
    answer.status = readiness.ready ? 200 : 503;
    answer.body = std::move(readiness.text);
  }
  return plan;
}

}  // namespace plimsoll::webhook::admission
