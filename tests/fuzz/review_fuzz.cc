// Any body posted to the admission endpoint: an answer that an API server accepts, or an HTTP
// error.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "policy/policy_document.h"
#include "webhook/admission/handler.h"
#include "webhook/admission/uid_scan.h"

namespace {

namespace admission = plimsoll::webhook::admission;
namespace net = plimsoll::webhook::net;
namespace policy = plimsoll::policy;
namespace telemetry = plimsoll::webhook::telemetry;

struct NoWakes final : net::WakeSource {
  net::Wake wake() override { std::abort(); }
};

struct Endpoint {
  Endpoint() : reviewer(options, policies, nullptr, {}, log, metrics) {
    auto set = std::make_shared<policy::PolicySet>();
    policy::HygienePolicy& all = set->policies.emplace_back();
    all.name = "all";
    for (const policy::Rule* rule : policy::all_rules()) {
      all.rules.push_back({rule, policy::Action::kEnforce, policy::default_parameters(*rule), {}});
    }
    policies.publish(std::move(set));
  }

  admission::AdmissionOptions options;
  net::Snapshot<policy::PolicySet> policies;
  telemetry::Log log{telemetry::LogLevel::kError};
  telemetry::Metrics metrics;
  admission::Reviewer reviewer;
  admission::AdmissionHandler handler{options, reviewer, metrics};
};

void check_answer(const net::Answer& answer) {
  if (answer.status != 200) {
    if (answer.status != 400 && answer.status != 503) std::abort();
    return;
  }
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (json.is_discarded() || !json["response"]["allowed"].is_boolean()) std::abort();
  if (json["response"].contains("patch")) std::abort();
  const std::string uid = json["response"]["uid"];
  if (uid.empty() || uid.size() > admission::kMaxUidBytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Endpoint endpoint;
  std::string body(reinterpret_cast<const char*>(data), size);
  admission::scan_review(body);
  body.reserve(size + net::kBodyPadding);
  net::RequestHead head;
  head.method = "POST";
  head.path = admission::kPath;
  head.has_content_type = true;
  head.content_type = "application/json";
  head.content_length = size;
  net::Answer answer;
  net::Plan plan = endpoint.handler.plan(head, answer);
  if (plan.answered) std::abort();
  NoWakes wakes;
  if (endpoint.handler.answer(head, plan, body, answer, wakes)) std::abort();
  check_answer(answer);
  endpoint.handler.done(plan);
  if (endpoint.handler.budget().used() != 0 || endpoint.handler.in_flight() != 0) std::abort();
  return 0;
}
