// Years of a controller that crashes, sleeps and comes back, beside API servers that learn late.
#include <chrono>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chain.h"
#include "webhook/certificates/rotation.h"

namespace plimsoll::webhook::certificates {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr sys_seconds kStart = sys_days(std::chrono::year(2026) / 8 / 20) + hours(6);

struct Pace {
  seconds end;           // of the simulation
  seconds longest_rest;  // between two looks while nothing is to do
  seconds longest_outage;
  seconds replica_lag;  // how long an old certificate may still be served
  seconds skew;         // how far an API server's clock may be behind
};

struct Published {
  sys_seconds at;
  std::string bundle;
};

class World {
 public:
  World(Terms terms, Pace pace, unsigned seed)
      : terms_(std::move(terms)), pace_(pace), random_(seed) {}

  void run() {
    look(false);
    now_ += terms_.trust_delay + seconds(1);
    while (now_ < kStart + pace_.end && !testing::Test::HasFailure()) {
      check(false);  // time has passed
      changed_ = false;
      const seconds rest = look(true);
      if (changed_) check(true);
      now_ += rest;
    }
  }
  int writes() const { return writes_; }
  int authorities() const { return authorities_; }
  int servings() const { return servings_; }
  int outages() const { return outages_; }

 private:
  seconds up_to(seconds most) {
    return seconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
  }
  bool one_in(int n) { return std::uniform_int_distribution<int>(1, n)(random_) == 1; }

  seconds outage() {
    ++outages_;
    return up_to(pace_.longest_outage);
  }

  void store(const Step& step) {
    const Stored next = stored_of(step.data);
    if (next.tls_crt != stored_.tls_crt) {
      replaced_.push_back({now_, stored_.tls_crt});
      ++servings_;
    }
    authorities_ += next.ca_key != stored_.ca_key ? 1 : 0;
    stored_ = next;
    changed_ = true;
    ++writes_;
  }

  void publish(std::deque<Published>& entry, const std::string& bundle) {
    if (entry.empty() || entry.back().bundle != bundle) {
      entry.push_back({now_, bundle});
      changed_ = true;
    }
    while (entry.size() > 1 && entry[1].at + terms_.trust_delay <= now_) entry.pop_front();
  }

  // One look, with a crash now and then behind any of its acts. The time until the next one.
  seconds look(bool may_crash) {
    Trusted trusted;
    for (const auto& entry : entries_) {
      if (!entry.empty()) trusted.bundles.push_back(entry.back().bundle);
    }
    if (may_crash && one_in(4)) trusted.bundles.clear();
    const auto step = plan(stored_, trusted, terms_, now_);
    EXPECT_TRUE(step) << step.error().message;
    if (!step) return seconds(1);
    const bool write = step->kind == Step::Kind::kWriteSecret;
    if (may_crash && one_in(write ? 5 : 100)) return outage();
    if (write) store(*step);
    if (may_crash && one_in(write ? 3 : 100)) return outage();
    publish(entries_[0], step->bundle);
    if (may_crash && one_in(write ? 5 : 100)) return outage();
    publish(entries_[1], step->bundle);
    if (may_crash && one_in(write ? 5 : 100)) return outage();
    const bool idle = step->kind == Step::Kind::kNothing;
    return step->until_look + up_to(idle ? pace_.longest_rest : seconds(2));
  }

  // Whatever a replica serves now is taken by every API server, whatever it has heard of yet; also
  // by one whose clock is behind, which matters for what is new.
  void check(bool is_new) {
    std::vector<std::string> served = {stored_.tls_crt};
    for (const Published& old : replaced_) {
      const bool in_use = old.at + pace_.replica_lag >= now_ && !old.bundle.empty();
      if (in_use) served.push_back(old.bundle);
    }
    for (const auto& entry : entries_) {
      for (std::size_t i = 0; i < entry.size(); ++i) {
        const bool forgotten = i + 1 < entry.size() && entry[i + 1].at + terms_.trust_delay <= now_;
        if (forgotten) continue;
        for (const std::string& certificate : served) {
          ASSERT_EQ(refusal(certificate, entry[i].bundle, kName, now_), "")
              << (now_ - kStart).count();
          if (!is_new) continue;
          ASSERT_EQ(refusal(certificate, entry[i].bundle, kName, now_ - pace_.skew), "");
        }
      }
    }
  }

  Terms terms_;
  Pace pace_;
  std::mt19937 random_;
  sys_seconds now_ = kStart;
  Stored stored_;
  std::deque<Published> entries_[2];  // what was published, as far as some API server may use it
  std::vector<Published> replaced_;   // serving certificates, and when they were replaced
  bool changed_ = false;              // by the last look
  int writes_ = 0;
  int authorities_ = 0;
  int servings_ = 0;
  int outages_ = 0;
};

class RotationLife : public testing::TestWithParam<unsigned> {};

TEST_P(RotationLife, IsTrustedAtEveryMomentOfThreeYears) {
  World world(usual_terms(),
              {.end = days(3 * 365),
               .longest_rest = days(4),
               .longest_outage = days(14),
               .replica_lag = minutes(2),
               .skew = minutes(55)},
              GetParam());
  world.run();
  EXPECT_GE(world.authorities(), 4);
  EXPECT_GE(world.servings(), 15);
  EXPECT_GE(world.outages(), 10);
  EXPECT_LE(world.writes(), 60);
}

TEST_P(RotationLife, LivesOfMinutesWorkTheSame) {
  Terms terms = usual_terms();
  terms.authority_life = minutes(6);
  terms.serving_life = minutes(2);
  terms.backdate = seconds(10);
  terms.trust_delay = seconds(3);
  World world(terms,
              {.end = hours(1),
               .longest_rest = seconds(1),
               .longest_outage = seconds(12),
               .replica_lag = seconds(15),
               .skew = seconds(8)},
              GetParam());
  world.run();
  EXPECT_GE(world.authorities(), 12);
  EXPECT_GE(world.servings(), 35);
  EXPECT_LE(world.writes(), 200);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RotationLife, testing::Range(1U, 4U));

}  // namespace
}  // namespace plimsoll::webhook::certificates
