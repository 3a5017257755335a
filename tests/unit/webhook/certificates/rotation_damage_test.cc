#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chain.h"
#include "policy/dates.h"
#include "policy/printable.h"
#include "webhook/certificates/certificate_text.h"
#include "webhook/certificates/rotation.h"

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

using Field = std::string Stored::*;
constexpr Field kFields[] = {&Stored::tls_crt,
                             &Stored::tls_key,
                             &Stored::ca_crt,
                             &Stored::ca_key,
                             &Stored::next_ca_crt,
                             &Stored::next_ca_key,
                             &Stored::next_ca_since};

// Obeys until nothing more is to be written, which must be soon.
Stored settled(Stored stored, const Trusted& trusted, const Terms& terms, sys_seconds now) {
  for (int writes = 0; writes < 4; ++writes) {
    const auto step = plan(stored, trusted, terms, now);
    EXPECT_TRUE(step) << step.error().message;
    if (!step || step->kind != Step::Kind::kWriteSecret) return stored;
    stored = stored_of(step->data);
    EXPECT_EQ(step->bundle, stored.ca_crt);
  }
  ADD_FAILURE() << "it writes and writes";
  return stored;
}

// With a next authority that is trusted since a moment ago.
Stored on_the_way(const Terms& terms) {
  Stored stored = installed(terms, kStart);
  const auto made = plan(stored, {}, terms, kStart + days(250));
  return stored_of(plan(stored_of(made->data), {{made->bundle}}, terms, kStart + days(250))->data);
}

TEST(RotationDamage, GarbageInAnyFieldIsReplacedAndServes) {
  const Terms terms = usual_terms();
  const Stored good = on_the_way(terms);
  const Stored strange = installed(terms, kStart + days(240));
  const sys_seconds now = kStart + days(250) + seconds(5);
  for (const Field& field : kFields) {
    const std::string& own = good.*field;
    const std::string& foreign = strange.*field;
    const std::string values[] = {"",
                                  "word",
                                  std::string("\0\xff", 2),
                                  own.substr(0, own.size() / 2),
                                  own + "word",
                                  foreign,
                                  std::string(std::size_t{70} * 1024, 'a')};
    for (const std::string& value : values) {
      SCOPED_TRACE(std::to_string(&field - kFields) + ": " + policy::printable(value, 40));
      Stored stored = good;
      stored.*field = value;
      for (const Trusted& trusted : {Trusted{}, Trusted{{good.ca_crt}}, Trusted{{"word"}}}) {
        const Stored after = settled(stored, trusted, terms, now);
        EXPECT_EQ(refusal(after.tls_crt, after.ca_crt, kName, now), "");
        EXPECT_TRUE(check_key(after.tls_crt, after.tls_key));
        EXPECT_EQ(plan(after, trusted, terms, now)->bundle, after.ca_crt);
        if (field != &Stored::ca_crt) {
          EXPECT_EQ(refusal(good.tls_crt, after.ca_crt, kName, now), "") << "replicas serve it yet";
        }
      }
    }
  }
}

TEST(RotationDamage, GarbageInAllFieldsIsReplacedAndSaid) {
  Stored stored;
  for (const Field field : kFields) stored.*field = "word";
  const auto step = plan(stored, {}, usual_terms(), kStart);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Step::Kind::kWriteSecret);
  EXPECT_EQ(step->reason,
            "made an authority and a serving certificate: no certificate in ca.crt belongs to "
            "ca.key");
}

TEST(RotationDamage, ASpoiltServingPairIsMadeAnewUnderTheSameAuthority) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  const Stored other = installed(terms, kStart);
  const struct {
    const char* what;
    std::string certificate;
    std::string key;
    const char* why;
  } rows[] = {
      {"nothing", "", "", "there is no certificate in it"},
      {"garbage", "word", good.tls_key, "at its end"},
      {"another's key", good.tls_crt, other.tls_key, "the key does not belong to it"},
      {"an encrypted key", good.tls_crt, encrypted(good.tls_key), "without a passphrase"},
      {"another authority's", other.tls_crt, other.tls_key, "not signed by the authority"},
      {"an authority", good.ca_crt, good.ca_key, "not for TLS servers"},
      {"a chain that does not follow", good.tls_crt + other.ca_crt, good.tls_key, "in order"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    Stored stored = good;
    stored.tls_crt = row.certificate;
    stored.tls_key = row.key;
    const auto step = plan(stored, {}, terms, kStart + hours(2));
    ASSERT_TRUE(step);
    EXPECT_THAT(step->reason, StartsWith("renewed the serving certificate: "));
    EXPECT_THAT(step->reason, HasSubstr(row.why));
    const Stored after = stored_of(step->data);
    EXPECT_EQ(after.ca_crt, good.ca_crt);
    EXPECT_EQ(after.ca_key, good.ca_key);
    EXPECT_EQ(refusal(after.tls_crt, good.ca_crt, kName, kStart + hours(2)), "");
  }
  Stored chained = good;
  chained.tls_crt += good.ca_crt;
  EXPECT_EQ(plan(chained, {}, terms, kStart)->kind, Step::Kind::kNothing) << "a chain is fine";
}

TEST(RotationDamage, WithoutAnAuthorityAllIsMadeAnewAndOthersStayTrusted) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  const Stored other = installed(terms, kStart);
  const Stored expired = installed(terms, kStart - days(366));
  Stored stored = good;
  stored.ca_key = "word";
  stored.tls_key = "word";
  stored.ca_crt = good.ca_crt + other.ca_crt + expired.ca_crt + good.tls_crt + good.ca_crt;
  const auto step = plan(stored, {}, terms, kStart + hours(2));
  ASSERT_TRUE(step);
  EXPECT_THAT(step->reason, HasSubstr("belongs to ca.key"));
  EXPECT_EQ(size_of(step->bundle), 3U) << "the new one, and two that are valid, each once";
  EXPECT_THAT(step->bundle, HasSubstr(good.ca_crt));
  EXPECT_THAT(step->bundle, HasSubstr(other.ca_crt));
  EXPECT_EQ(refusal(step->data.find("tls.crt")->second, step->bundle, kName, kStart + hours(2)),
            "");
}

TEST(RotationDamage, ALostKeyOfTheAuthorityLeavesTimeToHandOver) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  for (const std::string& key : {std::string(), std::string("word"), good.tls_key}) {
    Stored stored = good;
    stored.ca_key = key;
    sys_seconds now = kStart + hours(2);
    const auto made = plan(stored, {{good.ca_crt}}, terms, now);
    ASSERT_TRUE(made);
    EXPECT_THAT(made->reason, StartsWith("made the next authority"));
    EXPECT_THAT(made->reason, HasSubstr("belongs to ca.key"));
    stored = stored_of(made->data);
    EXPECT_EQ(stored.tls_crt, good.tls_crt);
    EXPECT_EQ(stored.ca_key, "");
    EXPECT_EQ(plan(stored, {{good.ca_crt}}, terms, now)->kind, Step::Kind::kWait);
    stored = settled(stored, {{made->bundle}}, terms, now);
    EXPECT_EQ(stored.tls_crt, good.tls_crt);
    now += seconds(60);
    stored = settled(stored, {{made->bundle}}, terms, now);
    EXPECT_NE(stored.tls_crt, good.tls_crt);
    EXPECT_EQ(refusal(stored.tls_crt, made->bundle, kName, now), "");
    EXPECT_EQ(refusal(good.tls_crt, stored.ca_crt, kName, now), "");
    EXPECT_EQ(plan(stored, {{stored.ca_crt}}, terms, now)->kind, Step::Kind::kNothing);
  }
}

TEST(RotationDamage, AnAuthorityThatCannotSignIsHandedOverToo) {
  // Our signatures are made with SHA-256, which Ed25519 does not take.
  const Terms terms = usual_terms();
  const KeyPair foreign = foreign_authority("ED25519", kStart - days(1), kStart + days(300));
  Stored stored;
  stored.ca_crt = foreign.certificate;
  stored.ca_key = foreign.key;
  const auto step = plan(stored, {}, terms, kStart);
  ASSERT_TRUE(step) << step.error().message;
  EXPECT_THAT(step->reason, StartsWith("cannot sign: OpenSSL could not make a certificate; "));
  EXPECT_EQ(size_of(step->bundle), 2U);
  EXPECT_EQ(refusal(step->data.find("tls.crt")->second, step->bundle, kName, kStart), "");
  EXPECT_EQ(plan(stored_of(step->data), {}, terms, kStart)->kind, Step::Kind::kNothing);
}

TEST(RotationDamage, AnExpiredAuthorityIsReplacedWithoutWaiting) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  const sys_seconds late = kStart + days(365);
  const auto step = plan(good, {}, terms, late);
  ASSERT_TRUE(step);
  EXPECT_THAT(step->reason, HasSubstr("the authority has expired at 2027-08-20T06:00:00Z"));
  EXPECT_EQ(size_of(step->bundle), 1U);
  EXPECT_EQ(refusal(step->data.find("tls.crt")->second, step->bundle, kName, late), "");

  const Stored prepared = on_the_way(terms);
  const auto promoted = plan(prepared, {}, terms, late);
  ASSERT_TRUE(promoted);
  EXPECT_THAT(promoted->reason, StartsWith("the next authority took over"));
  EXPECT_EQ(promoted->data.find("ca.crt")->second, prepared.next_ca_crt);
  EXPECT_EQ(refusal(promoted->data.find("tls.crt")->second, prepared.ca_crt, kName, late), "")
      << "what is trusted already is better than what is new";
}

TEST(RotationDamage, ADamagedNextAuthorityBeginsAgain) {
  const Terms terms = usual_terms();
  const Stored good = on_the_way(terms);
  const sys_seconds now = kStart + days(251);
  Stored stored = good;
  stored.next_ca_key = good.ca_key;
  const auto step = plan(stored, {{good.ca_crt}}, terms, now);
  ASSERT_TRUE(step);
  EXPECT_THAT(step->reason, StartsWith("gave up the stored next authority: the key does not"));
  EXPECT_THAT(step->reason, HasSubstr("; made the next authority"));
  const Stored after = stored_of(step->data);
  EXPECT_NE(after.next_ca_crt, good.next_ca_crt);
  EXPECT_EQ(after.next_ca_since, "") << "not the time of the one before";
  EXPECT_EQ(after.tls_crt, good.tls_crt);
  EXPECT_EQ(plan(after, {{good.ca_crt}}, terms, now)->kind, Step::Kind::kWait);
}

TEST(RotationDamage, ManyAuthoritiesDoNotFillTheBundle) {
  const Terms terms = usual_terms();
  Stored stored = installed(terms, kStart);
  for (int i = 0; i < 20; ++i) {
    stored.ca_key = stored.tls_key = "word";
    stored = stored_of(plan(stored, {}, terms, kStart)->data);
  }
  EXPECT_EQ(size_of(stored.ca_crt), 1 + kMaxEarlierAuthorities);
  EXPECT_EQ(refusal(stored.tls_crt, stored.ca_crt, kName, kStart), "");
}

TEST(RotationDamage, ClocksThatJumpBackMakeNewOnesOnce) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  // Five minutes are taken for the same time.
  EXPECT_EQ(plan(good, {}, terms, kStart - hours(1) - minutes(5))->kind, Step::Kind::kNothing);
  const sys_seconds past = kStart - hours(1) - minutes(5) - seconds(1);
  const auto step = plan(good, {{good.ca_crt}}, terms, past);
  ASSERT_TRUE(step);
  EXPECT_THAT(step->reason, HasSubstr("renewed the serving certificate: it is not valid before"));
  EXPECT_THAT(step->reason, HasSubstr("made the next authority"));
  Stored stored = stored_of(step->data);
  EXPECT_EQ(stored.ca_key, good.ca_key) << "usable all the same";
  EXPECT_EQ(plan(stored, {{good.ca_crt}}, terms, past)->kind, Step::Kind::kWait);
  stored = settled(stored, {{step->bundle}}, terms, past);
  stored = settled(stored, {{step->bundle}}, terms, past + minutes(1));
  EXPECT_EQ(refusal(stored.tls_crt, step->bundle, kName, past + minutes(1)), "");
  EXPECT_EQ(plan(stored, {{step->bundle}}, terms, past + minutes(1))->kind, Step::Kind::kNothing);
  // And forward again to where it was.
  EXPECT_EQ(plan(stored, {{step->bundle}}, terms, kStart)->kind, Step::Kind::kNothing);
  EXPECT_EQ(refusal(stored.tls_crt, stored.ca_crt, kName, kStart), "");
}

TEST(RotationDamage, ClocksThatJumpForwardRenewAtOnce) {
  const Terms terms = usual_terms();
  const Stored good = installed(terms, kStart);
  for (const seconds jump : {days(100), days(300), days(400), days(36500)}) {
    const sys_seconds now = kStart + jump;
    const Stored after = settled(good, {{good.ca_crt}}, terms, now);
    EXPECT_EQ(refusal(after.tls_crt, after.ca_crt, kName, now), "");
    const Stored back = settled(after, {{after.ca_crt}}, terms, kStart);
    EXPECT_EQ(plan(back, {{after.ca_crt}}, terms, kStart)->until_look >= seconds(1), true);
  }
}

TEST(RotationDamage, ATimeOfTrustInTheFutureIsNoneYet) {
  const Terms terms = usual_terms();
  const Stored good = on_the_way(terms);
  const sys_seconds now = kStart + days(250);
  for (const char* since : {"2099-01-01T00:00:00Z", "word", "", "2027-04-27"}) {
    Stored stored = good;
    stored.next_ca_since = since;
    const auto step = plan(stored, {{good.ca_crt}}, terms, now);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->reason, "every caBundle holds the next authority") << since;
    EXPECT_EQ(step->data.find("next-ca-since")->second, policy::time_text(now));
    EXPECT_EQ(plan(stored_of(step->data), {{good.ca_crt}}, terms, now)->kind, Step::Kind::kWait);
  }
}

}  // namespace
}  // namespace plimsoll::webhook::certificates
