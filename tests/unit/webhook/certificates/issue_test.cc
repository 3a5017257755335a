#include "webhook/certificates/issue.h"

#include <chrono>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chain.h"
#include "webhook/certificates/certificate_text.h"
#include "webhook/net/x509_maker.h"
#include "webhook/net/x509_native.h"

namespace plimsoll::webhook::certificates {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr sys_seconds kNow = sys_days(std::chrono::year(2026) / 8 / 20) + hours(6);

KeyPair authority(days life = days(365)) {
  auto pair = make_authority("the harbour", kNow - hours(1), kNow + life);
  EXPECT_TRUE(pair) << pair.error().message;
  return pair ? *pair : KeyPair{};
}

bool is_critical(X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1;
}

TEST(Issue, MakesAnAuthorityThatMaySignCertificatesOnly) {
  const KeyPair pair = authority();
  const auto read = net::read_x509(pair.certificate);
  ASSERT_TRUE(read);
  X509* const certificate = read->get();
  EXPECT_EQ(X509_get_version(certificate), X509_VERSION_3);
  EXPECT_EQ(X509_check_ca(certificate), 1);
  EXPECT_EQ(X509_get_pathlen(certificate), 0);
  EXPECT_EQ(X509_get_key_usage(certificate), unsigned{KU_KEY_CERT_SIGN | KU_CRL_SIGN});
  EXPECT_TRUE(is_critical(certificate, NID_basic_constraints));
  EXPECT_TRUE(is_critical(certificate, NID_key_usage));
  EXPECT_NE(X509_get0_subject_key_id(certificate), nullptr);
  char group[16] = {};
  EVP_PKEY_get_group_name(X509_get0_pubkey(certificate), group, sizeof group, nullptr);
  EXPECT_STREQ(group, "prime256v1");
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  EXPECT_STREQ(name, "the harbour");
  EXPECT_THAT(pair.key, HasSubstr("-----BEGIN PRIVATE KEY-----"));
  const auto text = read_certificate(pair.certificate);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->not_before, kNow - hours(1));
  EXPECT_EQ(text->not_after, kNow + days(365));
  EXPECT_TRUE(check_issuer(pair.certificate, pair.certificate));
}

TEST(Issue, IssuesForServersOfTheNamesOnly) {
  const KeyPair above = authority();
  const auto pair =
      issue_serving(above, {kName, "Other.Ships.svc"}, kNow - hours(1), kNow + days(90));
  ASSERT_TRUE(pair) << pair.error().message;
  const auto read = net::read_x509(pair->certificate);
  ASSERT_TRUE(read);
  X509* const certificate = read->get();
  EXPECT_EQ(X509_check_ca(certificate), 0);
  EXPECT_EQ(X509_get_extended_key_usage(certificate), unsigned{XKU_SSL_SERVER});
  EXPECT_EQ(X509_get_key_usage(certificate), unsigned{KU_DIGITAL_SIGNATURE});
  EXPECT_GE(X509_get_ext_by_NID(certificate, NID_basic_constraints, -1), 0);
  const auto text = read_certificate(pair->certificate);
  const auto authority_text = read_certificate(above.certificate);
  ASSERT_TRUE(text && authority_text);
  EXPECT_THAT(text->dns_names, ElementsAre(kName, "other.ships.svc"));
  EXPECT_FALSE(text->is_authority);
  EXPECT_TRUE(text->is_for_servers);
  const ASN1_OCTET_STRING* identifier = X509_get0_authority_key_id(certificate);
  ASSERT_NE(identifier, nullptr);
  EXPECT_EQ(ASN1_STRING_length(identifier) * 2,
            static_cast<int>(authority_text->subject_key_id.size()));
  EXPECT_NE(text->subject_key_id, authority_text->subject_key_id);
  EXPECT_EQ(refusal(pair->certificate, above.certificate, kName, kNow), "");
  EXPECT_EQ(refusal(pair->certificate, above.certificate, "other.ships.svc", kNow), "");
  EXPECT_THAT(refusal(pair->certificate, above.certificate, "third.ships.svc", kNow),
              HasSubstr("hostname mismatch"));
  EXPECT_THAT(refusal(pair->certificate, above.certificate, kName, kNow + days(91)),
              HasSubstr("expired"));
  EXPECT_NE(refusal(pair->certificate, authority().certificate, kName, kNow), "");
}

TEST(Issue, SerialsArePositiveRandomAndOf128Bits) {
  std::set<std::string> serials;
  int longest = 0;
  for (int i = 0; i < 32; ++i) {
    const auto read = net::read_x509(authority().certificate);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(read->get());
    const net::OpenSslOwned<BIGNUM> number(ASN1_INTEGER_to_BN(serial, nullptr));
    EXPECT_FALSE(BN_is_negative(number.get()));
    longest = std::max(longest, BN_num_bits(number.get()));
    const net::OpenSslOwned<char> hex(BN_bn2hex(number.get()));
    serials.insert(hex.get());
  }
  EXPECT_EQ(serials.size(), 32U);
  EXPECT_GT(longest, 120);
  EXPECT_LE(longest, 128);
}

TEST(Issue, RefusesWhatMakesNoSense) {
  const KeyPair above = authority();
  const KeyPair other = authority();
  const auto leaf = issue_serving(above, {kName}, kNow, kNow + days(90));
  ASSERT_TRUE(leaf);
  const std::string long_label(64, 'a');
  const struct {
    const char* what;
    KeyPair authority;
    std::vector<std::string> names;
    sys_seconds until;
    const char* why;
  } rows[] = {
      {"no names", above, {}, kNow + days(1), "1 to 64 DNS names"},
      {"too many", above, std::vector<std::string>(65, kName), kNow + days(1), "1 to 64 DNS names"},
      {"a comma", above, {"a,IP:127.0.0.1"}, kNow + days(1), "no DNS name"},
      {"an empty label", above, {"a..svc"}, kNow + days(1), "no DNS name"},
      {"a long label", above, {long_label + ".svc"}, kNow + days(1), "no DNS name"},
      {"a line feed", above, {"a\nb"}, kNow + days(1), "no DNS name"},
      {"ends before it begins", above, {kName}, kNow - days(1), "before it begins"},
      {"outlives its authority", above, {kName}, kNow + days(366), "after its authority"},
      {"another's key", {above.certificate, other.key}, {kName}, kNow + days(1), "does not belong"},
      {"no key", {above.certificate, ""}, {kName}, kNow + days(1), "the issuer's key: it is empty"},
      {"no authority", *leaf, {kName}, kNow + days(1), "is no authority"},
      {"no certificate", {"nonsense", above.key}, {kName}, kNow + days(1), "not in PEM form"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto pair = issue_serving(row.authority, row.names, kNow, row.until);
    ASSERT_FALSE(pair);
    EXPECT_THAT(pair.error().message, HasSubstr(row.why));
    EXPECT_EQ(pair.error().message.find('\n'), std::string::npos);
  }
  EXPECT_FALSE(make_authority("", kNow, kNow + days(1)));
  EXPECT_FALSE(make_authority(std::string(65, 'a'), kNow, kNow + days(1)));
  EXPECT_FALSE(make_authority("a", kNow, kNow));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Issue, SignsUnderAnAuthorityWithAnRsaKey) {
  const KeyPair above = foreign_authority("RSA", kNow - days(1), kNow + days(100));
  const auto pair = issue_serving(above, {kName}, kNow - hours(1), kNow + days(90));
  ASSERT_TRUE(pair) << pair.error().message;
  EXPECT_EQ(refusal(pair->certificate, above.certificate, kName, kNow), "");
}

}  // namespace
}  // namespace plimsoll::webhook::certificates
