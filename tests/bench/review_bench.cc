// Judges one review many times in this process: review_bench PHASE COUNT FILE [POLICY]...
// PHASE is read (parse and read the workload), evaluate (read, then judge) or answer (all that the
// server does between a body and its answer). COUNT 0 counts allocations in the steady state and
// prints "CALLS BYTES" per review; any other COUNT is for callgrind: the difference between two
// counts is the cost of as many reviews. The last answer goes to standard error with PHASE answer.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/engine.h"
#include "policy/workload_reader.h"
#include "tests/bench/allocation_count.h"
#include "webhook/admission/handler.h"
#include "webhook/admission/review_reader.h"
#include "webhook/admission/workspace.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::bench {
namespace {

namespace admission = webhook::admission;
namespace net = webhook::net;
namespace telemetry = webhook::telemetry;

// Nothing is waited for.
struct NoWakes final : net::WakeSource {
  net::Wake wake() override {
    return [] {};
  }
};

class Bench {
 public:
  Bench(std::string body, policy::PolicySet policies)
      : body_(std::move(body)),
        policies_(std::make_shared<const policy::PolicySet>(std::move(policies))),
        reviewer_(options_, policies_, nullptr, {}, log_, metrics_),
        handler_(options_, reviewer_, metrics_) {
    body_.reserve(body_.size() + net::kBodyPadding);
    head_.method = "POST";
    head_.target = "/validate?timeout=10s";
    head_.path = "/validate";
    head_.query = "timeout=10s";
    head_.has_content_type = true;
    head_.content_type = "application/json";
    head_.content_length = body_.size();
  }

  // True if the review was readable.
  bool read(bool judge) {
    admission::WorkspaceLease workspace;
    policy::json::Element root;
    if (workspace->parser.parse(body_.data(), body_.size(), false).get(root)) return false;
    const auto envelope = admission::read_envelope(root);
    if (!envelope || !envelope->object) return false;
    const auto* kind = policy::find_workload_kind_of_group(envelope->group, envelope->kind);
    if (kind == nullptr) return false;
    const auto object = policy::read_workload(*kind, *envelope->object, workspace->arena());
    policy::Result<policy::Workload> old = std::unexpected(policy::Error{});
    if (envelope->old_object) {
      old = policy::read_workload(*kind, *envelope->old_object, workspace->arena());
    }
    if (!object) return false;
    if (!judge) return true;
    policy::Review review;
    review.operation = envelope->operation;
    review.user = envelope->user;
    review.name_space = envelope->name_space;
    review.object = &*object;
    review.old_object = old ? &*old : nullptr;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto policies = policies_.read();
    findings_ = policy::evaluate(*policies, review, {}, options_.evaluation, now).findings.size();
    return true;
  }

  bool answer() {
    answer_.reset();
    head_.received = net::Clock::now();
    net::Plan plan = handler_.plan(head_, answer_);
    if (plan.answered) return false;
    NoWakes wakes;
    handler_.answer(head_, plan, body_, answer_, wakes);
    handler_.done(plan);
    return answer_.status == 200;
  }

  bool run(std::string_view phase) {
    if (phase == "read") return read(false);
    if (phase == "evaluate") return read(true);
    return answer();
  }

  const std::string& last_answer() const { return answer_.body; }

 private:
  std::string body_;
  net::RequestHead head_;
  net::Answer answer_;
  std::size_t findings_ = 0;
  admission::AdmissionOptions options_;
  telemetry::Log log_{telemetry::LogLevel::kError};
  telemetry::Metrics metrics_;
  net::Snapshot<policy::PolicySet> policies_;
  admission::Reviewer reviewer_;
  admission::AdmissionHandler handler_;
};

int complain(std::string_view text) {
  fmt::print(stderr, "review_bench: {}\n", text);
  return 1;
}

int count_allocations(Bench& bench, std::string_view phase) {
  constexpr unsigned kWarmUp = 100;
  constexpr unsigned kCounted = 100;
  for (unsigned i = 0; i < kWarmUp; ++i) bench.run(phase);
  const Allocations before = allocations();
  for (unsigned i = 0; i < kCounted; ++i) bench.run(phase);
  const Allocations after = allocations();
  fmt::print("{:.2f} {:.0f}\n",
             static_cast<double>(after.calls - before.calls) / kCounted,
             static_cast<double>(after.bytes - before.bytes) / kCounted);
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return complain("PHASE COUNT FILE [POLICY]...");
  const std::string& phase = arguments[0];
  if (phase != "read" && phase != "evaluate" && phase != "answer") {
    return complain("PHASE is read, evaluate or answer");
  }
  std::ifstream file(arguments[2], std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(file), {}};
  if (body.empty()) return complain(arguments[2] + " cannot be read");
  auto policies =
      webhook::policy_sources::load_policies({arguments.begin() + 3, arguments.end()}, false);
  if (!policies) return complain(policies.error().front());

  Bench bench(std::move(body), std::move(*policies));
  if (!bench.run(phase)) return complain("the review cannot be judged");
  const unsigned long count = std::strtoul(arguments[1].c_str(), nullptr, 10);
  if (count == 0) {
    if (phase == "answer") fmt::print(stderr, "{}\n", bench.last_answer());
    return count_allocations(bench, phase);
  }
  for (unsigned long i = 0; i < count; ++i) bench.run(phase);
  return 0;
}

}  // namespace
}  // namespace plimsoll::bench

int main(int argc, char** argv) {
  return plimsoll::bench::run({argv + 1, argv + argc});
}
