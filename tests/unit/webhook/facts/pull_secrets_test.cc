#include "webhook/facts/pull_secrets.h"

#include <future>

#include <gtest/gtest.h>

#include "tests/support/silent_server.h"

namespace plimsoll::webhook::facts {
namespace {

using std::chrono::milliseconds;

PullSecretNames names_of(std::size_t number) {
  PullSecretNames names;
  names.name_space = "shop";
  names.secrets = {"invented-" + std::to_string(number)};
  return names;
}

class Asked {
 public:
  Asked() { thread_.start(); }
  ~Asked() { thread_.stop(); }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  void ask(std::size_t sets, milliseconds time) {
    const net::Deadline deadline = net::Deadline::in(time);
    for (std::size_t number = 0; number < sets; ++number) {
      secrets_.ask(names_of(number), deadline, [this] { ++ready_; });
    }
    std::promise<void> taken;  // the thread does what it is given in this order
    thread_.post([&taken] { taken.set_value(); });
    taken.get_future().wait();
  }
  std::size_t ready() const { return ready_; }
  bool one_is_ready() const {
    const net::Deadline deadline = net::Deadline::in(std::chrono::seconds(60));
    while (ready_ == 0 && !deadline.passed()) std::this_thread::sleep_for(milliseconds(5));
    return ready_ == 1;
  }
  bool known() const { return secrets_.find(names_of(0)) != nullptr; }

 private:
  SilentServer server_;
  telemetry::Log log_{telemetry::LogLevel::kError};
  cluster::ApiThread thread_{server_.access(), {}, log_};
  std::atomic<std::size_t> ready_{0};
  PullSecrets secrets_{thread_, {"shop"}, log_};
};

TEST(PullSecrets, AreAskedForSoManyAtMost) {
  Asked asked;
  asked.ask(1'000, std::chrono::minutes(5));
  EXPECT_EQ(asked.ready(), 1'000 - kMaxSecretSetsAsked);
}

TEST(PullSecrets, ThatCouldNotBeReadCountAsAbsentForAWhile) {
  Asked asked;
  asked.ask(1, milliseconds(200));
  EXPECT_TRUE(asked.one_is_ready());
  EXPECT_TRUE(asked.known());
}

// Or a review without any time would hide the secrets of those that come after it.
TEST(PullSecrets, ThatNobodyAskedForAreNotRemembered) {
  Asked asked;
  asked.ask(1, milliseconds(0));
  EXPECT_TRUE(asked.one_is_ready());
  EXPECT_FALSE(asked.known());
}

}  // namespace
}  // namespace plimsoll::webhook::facts
