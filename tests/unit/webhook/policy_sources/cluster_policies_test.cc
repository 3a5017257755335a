#include "webhook/policy_sources/cluster_policies.h"

#include <future>

#include <gtest/gtest.h>

#include "tests/support/silent_server.h"

namespace plimsoll::webhook::policy_sources {
namespace {

class Asked {
 public:
  Asked() : policies_(thread_, {}, [](const auto&) {}, log_) { thread_.start(); }
  ~Asked() { thread_.stop(); }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  void ask(std::size_t names, std::chrono::milliseconds time) {
    const net::Deadline deadline = net::Deadline::in(time);
    for (std::size_t number = 0; number < names; ++number) {
      policies_.ask_namespace("invented-" + std::to_string(number), deadline, [this] { ++ready_; });
    }
    std::promise<void> taken;  // the thread does what it is given in this order
    thread_.post([&taken] { taken.set_value(); });
    taken.get_future().wait();
  }
  std::size_t ready() const { return ready_; }
  bool all_ready(std::size_t names) const {
    const net::Deadline deadline = net::Deadline::in(std::chrono::seconds(60));
    while (ready_ < names && !deadline.passed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return ready_ == names;
  }

 private:
  SilentServer server_;
  telemetry::Log log_{telemetry::LogLevel::kError};
  cluster::ApiThread thread_{server_.access(), {}, log_};
  std::atomic<std::size_t> ready_{0};
  ClusterPolicies policies_;
};

TEST(ClusterPolicies, AskForSoManyNamespacesAtMost) {
  Asked asked;
  asked.ask(1'000, std::chrono::minutes(5));
  EXPECT_EQ(asked.ready(), 1'000 - kMaxNamespacesAsked);
}

TEST(ClusterPolicies, HaveRoomAgainAfterTheDeadline) {
  Asked asked;
  asked.ask(kMaxNamespacesAsked, std::chrono::milliseconds(200));
  EXPECT_TRUE(asked.all_ready(kMaxNamespacesAsked));
  asked.ask(1, std::chrono::minutes(5));
  EXPECT_EQ(asked.ready(), kMaxNamespacesAsked) << "it is asked for";
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
