#include "webhook/net/tls.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

using testing::HasSubstr;

TEST(ServerTls, TakesASelfSignedPair) {
  const auto pair = make_self_signed();
  ASSERT_TRUE(pair) << pair.error().message;
  const auto tls = make_server_tls(*pair);
  ASSERT_TRUE(tls) << tls.error().message;
  const auto now = std::chrono::system_clock::now();
  EXPECT_LT((*tls)->not_before, now);
  EXPECT_GT((*tls)->not_after, now + std::chrono::days(6));
  EXPECT_EQ((*tls)->fingerprint.size(), 64U);
}

TEST(ServerTls, ReportsAnExpiredCertificateInsteadOfRefusingIt) {
  const auto pair = make_self_signed(-1);
  ASSERT_TRUE(pair);
  const auto tls = make_server_tls(*pair);
  ASSERT_TRUE(tls) << tls.error().message;
  EXPECT_LT((*tls)->not_after, std::chrono::system_clock::now());
}

TEST(ServerTls, RefusesWhatCannotServe) {
  const auto one = make_self_signed();
  const auto two = make_self_signed();
  ASSERT_TRUE(one && two);
  const struct {
    const char* what;
    PemPair pair;
    const char* why;
  } rows[] = {
      {"nothing", {"", ""}, "no certificate in PEM form"},
      {"no certificate", {"nonsense", one->key}, "no certificate in PEM form"},
      {"no key", {one->certificate, "nonsense"}, "no private key"},
      {"half a key", {one->certificate, one->key.substr(0, one->key.size() / 2)}, "no private key"},
      {"another's key", {one->certificate, two->key}, "does not belong"},
      {"a chain that does not follow", {one->certificate + two->certificate, one->key}, "in order"},
      {"a chain that is cut short",
       {one->certificate + two->certificate.substr(0, two->certificate.size() / 2), one->key},
       "after the first"},
      {"too much", {one->certificate + std::string(kMaxPemBytes, '\n'), one->key}, "64 KiB"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto tls = make_server_tls(row.pair);
    ASSERT_FALSE(tls);
    EXPECT_THAT(tls.error().message, HasSubstr(row.why));
    EXPECT_EQ(tls.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace plimsoll::webhook::net
