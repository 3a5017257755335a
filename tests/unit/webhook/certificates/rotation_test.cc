#include "webhook/certificates/rotation.h"

#include <chrono>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chain.h"
#include "policy/dates.h"
#include "webhook/certificates/certificate_text.h"

namespace plimsoll::webhook::certificates {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr sys_seconds kStart = sys_days(std::chrono::year(2026) / 8 / 20) + hours(6);

// A controller that does as it is told: stores, then publishes to two webhook entries.
class Rotation : public testing::Test {
 protected:
  Step look() {
    const auto step = plan(stored_, trusted_, terms_, now_);
    EXPECT_TRUE(step) << step.error().message;
    if (!step) return {};
    EXPECT_GE(step->until_look, seconds(1));
    EXPECT_LE(step->until_look, seconds(60));
    EXPECT_FALSE(step->reason.empty());
    EXPECT_EQ(step->reason.find('\n'), std::string::npos);
    EXPECT_GE(size_of(step->bundle), 1U);
    EXPECT_EQ(step->data.empty(), step->kind != Step::Kind::kWriteSecret);
    return *step;
  }
  void store(const Step& step) { stored_ = stored_of(step.data); }
  void publish(const Step& step) { trusted_.bundles = {step.bundle, step.bundle}; }
  Step obey() {
    const Step step = look();
    if (step.kind == Step::Kind::kWriteSecret) store(step);
    publish(step);
    return step;
  }
  std::string refused() const {
    std::string why;
    for (const std::string& bundle : trusted_.bundles) {
      why += refusal(stored_.tls_crt, bundle, kName, now_);
    }
    return why;
  }
  CertificateText serving() const {
    return *read_certificate(split_bundle(stored_.tls_crt)->front());
  }
  // To the moment in which the authority becomes due, with a serving certificate that is not.
  void go_to_renewal() {
    now_ = kStart + days(230);
    obey();
    now_ = kStart + days(244);
  }

  Terms terms_ = usual_terms();
  sys_seconds now_ = kStart;
  Stored stored_;
  Trusted trusted_;
};

TEST_F(Rotation, InstallsAtOnceWhereThereIsNothing) {
  const Step step = obey();
  EXPECT_EQ(step.kind, Step::Kind::kWriteSecret);
  EXPECT_EQ(step.reason, "made an authority and a serving certificate: there are none yet");
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(size_of(step.bundle), 1U);
  EXPECT_EQ(stored_.ca_crt, step.bundle);
  EXPECT_TRUE(check_key(stored_.ca_crt, stored_.ca_key));
  EXPECT_TRUE(check_key(stored_.tls_crt, stored_.tls_key));
  EXPECT_EQ(stored_.next_ca_crt + stored_.next_ca_key + stored_.next_ca_since, "");
  EXPECT_EQ(serving().not_before, kStart - hours(1));
  EXPECT_EQ(serving().not_after, kStart + days(90));
  EXPECT_EQ(read_certificate(stored_.ca_crt)->not_before, kStart - hours(1));
  EXPECT_EQ(read_certificate(stored_.ca_crt)->not_after, kStart + days(365));

  const Step rest = obey();
  EXPECT_EQ(rest.kind, Step::Kind::kNothing);
  EXPECT_EQ(rest.reason, "the serving certificate has 90 days left of 90 days");
  EXPECT_EQ(rest.bundle, step.bundle);
  EXPECT_EQ(rest.until_look, seconds(60));
}

TEST_F(Rotation, RenewsTheServingCertificateAtTwoThirds) {
  obey();
  const Stored before = stored_;
  now_ = kStart + days(59);
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);
  now_ = kStart + days(60);
  const Step step = obey();
  EXPECT_EQ(step.kind, Step::Kind::kWriteSecret);
  EXPECT_EQ(step.reason, "renewed the serving certificate: 30 days left of 90 days");
  EXPECT_NE(stored_.tls_crt, before.tls_crt);
  EXPECT_NE(stored_.tls_key, before.tls_key);
  EXPECT_EQ(stored_.ca_crt, before.ca_crt);
  EXPECT_EQ(stored_.ca_key, before.ca_key);
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(serving().not_after, now_ + days(90));
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);
}

TEST_F(Rotation, ComesBackInTimeForWhatIsDueSoon) {
  obey();
  const sys_seconds due = serving().not_before + seconds(days(90) + hours(1)) / 3 * 2;
  now_ = due - seconds(7);
  EXPECT_EQ(obey().until_look, seconds(7));
  now_ = due - seconds(1);
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);
  now_ = due;
  EXPECT_EQ(obey().kind, Step::Kind::kWriteSecret);
}

TEST_F(Rotation, RenewsWhereANameIsMissing) {
  obey();
  terms_.dns_names.emplace_back("plimsoll.harbour.svc");
  EXPECT_THAT(obey().reason, HasSubstr("it does not cover plimsoll.harbour.svc"));
  EXPECT_EQ(refusal(stored_.tls_crt, stored_.ca_crt, "plimsoll.harbour.svc", now_), "");
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);
  terms_.dns_names = {"PLIMSOLL.ships.svc"};
  EXPECT_EQ(obey().kind, Step::Kind::kNothing) << "names have no case, and more is no harm";
}

TEST_F(Rotation, RenewsTheAuthorityInSteps) {
  obey();
  go_to_renewal();
  const Stored before = stored_;

  const Step made = look();
  EXPECT_EQ(made.kind, Step::Kind::kWriteSecret);
  EXPECT_EQ(made.reason,
            "made the next authority, to be used when every caBundle holds it: 121 days left of "
            "365 days");
  EXPECT_EQ(size_of(made.bundle), 2U);
  EXPECT_THAT(made.bundle, StartsWith(before.ca_crt));
  store(made);
  EXPECT_EQ(stored_.tls_crt, before.tls_crt);
  EXPECT_EQ(stored_.ca_key, before.ca_key);
  EXPECT_EQ(stored_.next_ca_since, "");

  now_ += minutes(10);
  const Step wait = look();
  EXPECT_EQ(wait.kind, Step::Kind::kWait);
  EXPECT_THAT(wait.reason, HasSubstr("0 of 2 caBundles hold it"));
  EXPECT_EQ(wait.bundle, made.bundle);
  EXPECT_EQ(wait.until_look, seconds(10));
  trusted_.bundles[1] = wait.bundle;
  EXPECT_THAT(look().reason, HasSubstr("1 of 2 caBundles hold it"));

  publish(wait);
  const Step seen = obey();
  EXPECT_EQ(seen.kind, Step::Kind::kWriteSecret);
  EXPECT_EQ(seen.reason, "every caBundle holds the next authority");
  EXPECT_EQ(stored_.next_ca_since, policy::time_text(now_));
  EXPECT_EQ(stored_.tls_crt, before.tls_crt);
  EXPECT_EQ(seen.until_look, seconds(60));

  now_ += seconds(59);
  const Step almost = obey();
  EXPECT_EQ(almost.kind, Step::Kind::kWait);
  EXPECT_THAT(almost.reason, HasSubstr("it is used in 1 second"));
  EXPECT_EQ(almost.until_look, seconds(1));

  now_ += seconds(1);
  const Step promoted = obey();
  EXPECT_EQ(promoted.kind, Step::Kind::kWriteSecret);
  EXPECT_THAT(promoted.reason, StartsWith("the next authority took over"));
  EXPECT_NE(stored_.ca_key, before.ca_key);
  EXPECT_EQ(stored_.next_ca_crt + stored_.next_ca_key + stored_.next_ca_since, "");
  EXPECT_EQ(size_of(promoted.bundle), 2U) << "whoever serves an old certificate is still trusted";
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(refusal(before.tls_crt, promoted.bundle, kName, now_), "");
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);

  now_ = kStart + days(365) - seconds(1);
  obey();  // the serving certificate is due
  EXPECT_EQ(size_of(stored_.ca_crt), 2U);
  now_ += seconds(1);
  const Step dropped = obey();
  EXPECT_EQ(dropped.reason, "dropped what has expired from the bundle");
  EXPECT_EQ(size_of(dropped.bundle), 1U);
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(obey().kind, Step::Kind::kNothing);
}

TEST_F(Rotation, NeverPromotesWhileItIsNotKnownWhatIsTrusted) {
  obey();
  go_to_renewal();
  obey();
  const std::string authority = stored_.ca_key;
  trusted_.bundles.clear();
  for (; now_ < kStart + days(364); now_ += hours(31)) {
    const Step step = look();
    if (step.kind == Step::Kind::kWriteSecret) store(step);
    EXPECT_EQ(stored_.ca_key, authority);
    EXPECT_NE(stored_.next_ca_key, "");
    ASSERT_EQ(refusal(stored_.tls_crt, stored_.ca_crt, kName, now_), "");
  }
  EXPECT_THAT(look().reason, HasSubstr("it is not known what the API server trusts"));
}

TEST_F(Rotation, StartsTheDelayAgainWhenTrustWasTakenBack) {
  obey();
  go_to_renewal();
  const std::string old_bundle = trusted_.bundles[0];
  obey();
  obey();
  EXPECT_NE(stored_.next_ca_since, "");
  now_ += seconds(30);
  trusted_.bundles[0] = old_bundle;
  const Step lost = obey();
  EXPECT_THAT(lost.reason, HasSubstr("no longer in every caBundle"));
  EXPECT_EQ(stored_.next_ca_since, "");
  now_ += seconds(31);
  EXPECT_EQ(obey().reason, "every caBundle holds the next authority");
  EXPECT_EQ(stored_.next_ca_since, policy::time_text(now_));
  for (const std::string& unreadable : {std::string(), std::string("word"), old_bundle + "word"}) {
    trusted_.bundles[1] = unreadable;
    const auto step = plan(stored_, trusted_, terms_, now_ + hours(1));
    ASSERT_TRUE(step);
    EXPECT_THAT(step->reason, HasSubstr("no longer in every caBundle"));
  }
}

TEST_F(Rotation, GoesOnAfterACrashBehindAnyWrite) {
  for (const seconds outage : {seconds(1), seconds(61), seconds(hours(5)), seconds(days(14))}) {
    SCOPED_TRACE(outage.count());
    stored_ = {};
    trusted_ = {};
    now_ = kStart;
    obey();
    go_to_renewal();
    const Stored before = stored_;
    store(look());  // made the next authority, crashed before it was published
    now_ += outage;
    EXPECT_EQ(refused(), "");
    const Step wait = obey();
    EXPECT_EQ(wait.kind, Step::Kind::kWait);
    EXPECT_EQ(wait.bundle, stored_.ca_crt);
    now_ += outage;  // crashed after it was published
    EXPECT_EQ(refused(), "");
    store(look());  // saw that it is trusted, crashed
    EXPECT_EQ(stored_.next_ca_since, policy::time_text(now_)) << "not since it was made";
    EXPECT_EQ(stored_.tls_crt, before.tls_crt);
    now_ += std::max(outage, seconds(60));
    EXPECT_EQ(refused(), "");
    store(look());  // promoted, crashed
    EXPECT_NE(stored_.ca_key, before.ca_key);
    EXPECT_EQ(refused(), "");
    EXPECT_EQ(refusal(before.tls_crt, stored_.ca_crt, kName, kStart + days(300)), "");
    EXPECT_EQ(obey().kind, Step::Kind::kNothing);
    EXPECT_EQ(refused(), "");
  }
}

TEST_F(Rotation, DoesNotOutliveItsAuthorityNorRenewInVain) {
  obey();
  go_to_renewal();
  int renewals = 0;
  const sys_seconds end = kStart + days(365);
  for (; now_<end; now_ += end - now_> hours(20) ? hours(19) : minutes(7)) {
    const Step step = look();
    if (step.kind != Step::Kind::kWriteSecret) continue;
    store(step);
    ++renewals;
    EXPECT_LE(serving().not_after, kStart + days(365));
  }
  EXPECT_LE(renewals, 4) << "the next authority, and few certificates";
  EXPECT_EQ(serving().not_after, kStart + days(365));
  now_ = end - seconds(40);
  EXPECT_EQ(look().until_look, seconds(10));
}

TEST_F(Rotation, TermsThatCannotBeMetAreErrors) {
  const struct {
    const char* why;
    void (*spoil)(Terms& terms);
  } rows[] = {
      {"1 to 64 DNS names", [](Terms& terms) { terms.dns_names.clear(); }},
      {"1 to 64 DNS names", [](Terms& terms) { terms.dns_names.resize(65, "a"); }},
      {"no DNS name", [](Terms& terms) { terms.dns_names = {"a b"}; }},
      {"1 to 64 characters", [](Terms& terms) { terms.authority_name.clear(); }},
      {"1 to 64 characters", [](Terms& terms) { terms.authority_name.resize(65, 'a'); }},
      {"10 seconds or longer", [](Terms& terms) { terms.serving_life = seconds(9); }},
      {"10 seconds or longer", [](Terms& terms) { terms.authority_life = seconds(-1); }},
      {"not negative", [](Terms& terms) { terms.backdate = seconds(-1); }},
      {"not negative", [](Terms& terms) { terms.trust_delay = seconds(-1); }},
  };
  for (const auto& row : rows) {
    Terms terms = usual_terms();
    row.spoil(terms);
    const auto step = plan({}, {}, terms, kStart);
    ASSERT_FALSE(step) << row.why;
    EXPECT_THAT(step.error().message, HasSubstr(row.why));
  }
}

}  // namespace
}  // namespace plimsoll::webhook::certificates
