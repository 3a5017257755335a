#include "webhook/certificates/certificate_text.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "chain.h"

namespace plimsoll::webhook::certificates {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr sys_seconds kNow = sys_days(std::chrono::year(2026) / 8 / 20);

class CertificateTexts : public testing::Test {
 protected:
  const KeyPair one_ = *make_authority("one", kNow, kNow + days(365));
  const KeyPair two_ = *make_authority("two", kNow, kNow + days(100));
  const KeyPair leaf_ = *issue_serving(one_, {kName}, kNow, kNow + days(90));
};

std::string half(const std::string& text) {
  return text.substr(0, text.size() / 2);
}

// With one character in the middle of its base64 changed.
std::string flipped(std::string text, std::size_t at) {
  text[at] = text[at] == 'A' ? 'B' : 'A';
  return text;
}

TEST_F(CertificateTexts, SaysWhatTheCertificateSays) {
  const auto text = read_certificate("\n  " + leaf_.certificate + "\n\t");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->not_before, kNow);
  EXPECT_EQ(text->not_after, kNow + days(90));
  EXPECT_FALSE(text->is_authority);
  EXPECT_TRUE(text->is_for_servers);
  EXPECT_THAT(text->dns_names, ElementsAre(kName));
  EXPECT_EQ(text->subject_key_id.size(), 40U);
  const auto authority = read_certificate(one_.certificate);
  ASSERT_TRUE(authority);
  EXPECT_TRUE(authority->is_authority);
  EXPECT_THAT(authority->dns_names, IsEmpty());
}

TEST_F(CertificateTexts, RefusesWhatIsNotOneCertificate) {
  const struct {
    const char* what;
    std::string text;
    const char* why;
  } rows[] = {
      {"nothing", "", "it is empty"},
      {"blanks", " \n\t ", "it is empty"},
      {"words", "nonsense", "not in PEM form"},
      {"bytes", std::string("\0\xff\x80", 3), "not in PEM form"},
      {"half", half(one_.certificate), "cut short"},
      {"a key", one_.key, "it is no certificate"},
      {"two", one_.certificate + two_.certificate, "something follows"},
      {"words before", "word\n" + one_.certificate, "not in PEM form"},
      {"words behind", one_.certificate + "word\n", "something follows"},
      {"no DER",
       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       "cannot be read"},
      {"empty DER", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", ""},
      {"too much", one_.certificate + std::string(64 * 1024, '\n'), "64 KiB"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto text = read_certificate(row.text);
    ASSERT_FALSE(text);
    EXPECT_THAT(text.error().message, HasSubstr(row.why));
    EXPECT_FALSE(check_key(row.text, one_.key));
    EXPECT_FALSE(check_issuer(row.text, one_.certificate));
    EXPECT_FALSE(check_issuer(one_.certificate, row.text));
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_F(CertificateTexts, TellsWhetherAKeyBelongs) {
  EXPECT_TRUE(check_key(one_.certificate, one_.key));
  EXPECT_TRUE(check_key(leaf_.certificate, leaf_.key));
  const KeyPair rsa = foreign_authority("RSA", kNow, kNow + days(1));
  EXPECT_TRUE(check_key(rsa.certificate, rsa.key));
  const std::size_t private_part = one_.key.find('\n') + 1 + 60;  // bytes 36 to 68 of the DER
  const struct {
    const char* what;
    std::string key;
    const char* why;
  } rows[] = {
      {"another's", two_.key, "does not belong"},
      {"of another kind", rsa.key, "does not belong"},
      {"nothing", "", "it is empty"},
      {"half", half(one_.key), "cut short"},
      {"a certificate", one_.certificate, "no private key"},
      {"encrypted", encrypted(one_.key), "without a passphrase"},
      {"with a changed private half", flipped(one_.key, private_part), "do not fit"},
      {"two keys", one_.key + one_.key, "something follows"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto checked = check_key(one_.certificate, row.key);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, HasSubstr(row.why));
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_F(CertificateTexts, TellsWhoSigned) {
  EXPECT_TRUE(check_issuer(leaf_.certificate, one_.certificate));
  EXPECT_TRUE(check_issuer(two_.certificate, two_.certificate));
  const KeyPair namesake = *make_authority("one", kNow, kNow + days(365));
  const struct {
    const char* what;
    const std::string& authority;
    const char* why;
  } rows[] = {
      {"another authority", two_.certificate, "not signed by the authority"},
      {"another of the same name", namesake.certificate, "not signed by the authority"},
      {"no authority", leaf_.certificate, "is no authority"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto checked = check_issuer(leaf_.certificate, row.authority);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, HasSubstr(row.why));
  }
  const std::string changed = flipped(leaf_.certificate, leaf_.certificate.size() - 60);
  EXPECT_FALSE(check_issuer(changed, one_.certificate)) << "a changed signature";
}

TEST_F(CertificateTexts, SplitsAndJoinsBundles) {
  const auto split = split_bundle("\n" + one_.certificate + "\r\n\n" + two_.certificate);
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_THAT(*split, ElementsAre(one_.certificate, two_.certificate));
  EXPECT_EQ(join_bundle(*split), one_.certificate + two_.certificate);
  EXPECT_EQ(join_bundle({"a", "b\n"}), "a\nb\n");
  std::string windows;
  for (const char c : one_.certificate) windows += c == '\n' ? "\r\n" : std::string(1, c);
  const auto rewritten = split_bundle(windows);
  ASSERT_TRUE(rewritten);
  EXPECT_THAT(*rewritten, ElementsAre(one_.certificate)) << "the same certificate, the same text";
}

TEST_F(CertificateTexts, RefusesBundlesWithAnythingElse) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += one_.certificate;
  const struct {
    const char* what;
    std::string bundle;
    const char* why;
    std::size_t salvaged;
  } rows[] = {
      {"nothing", "", "no certificate in it", 0},
      {"words", "word", "at its end", 0},
      {"words before", "word\n" + one_.certificate, "before certificate 1", 1},
      {"words between", one_.certificate + "word\n" + two_.certificate, "before certificate 2", 2},
      {"words behind", one_.certificate + "word", "at its end", 1},
      {"a key", one_.certificate + one_.key, "at its end", 1},
      {"half a one last", one_.certificate + half(two_.certificate), "at its end", 1},
      {"half a one first", half(one_.certificate) + two_.certificate, "before certificate 1", 1},
      {"only an end", "-----END CERTIFICATE-----\n" + one_.certificate, "before certificate 1", 1},
      {"a damaged one",
       one_.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       "certificate 2 of it",
       1},
      {"33 certificates", many, "more than 32", 32},
      {"too much", one_.certificate + std::string(64 * 1024, ' '), "64 KiB", 1},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto split = split_bundle(row.bundle);
    ASSERT_FALSE(split);
    EXPECT_THAT(split.error().message, HasSubstr(row.why));
    EXPECT_EQ(salvage_bundle(row.bundle).size(), row.salvaged);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(CertificateText, TakesTimeInProportionToTheText) {
  std::string beginnings;
  while (beginnings.size() < kMaxBundleBytes - 60) beginnings += "-----BEGIN CERTIFICATE-----\n";
  std::string ends;
  while (ends.size() < kMaxBundleBytes - 60) ends += "-----END CERTIFICATE-----\n";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(salvage_bundle(beginnings + "-----END CERTIFICATE-----\n"), IsEmpty());
  EXPECT_THAT(salvage_bundle("-----BEGIN CERTIFICATE-----\n" + ends), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(CertificateText, KnowsNamesOfDns) {
  for (const char* name : {"a", "plimsoll.ships.svc", "*.ships.svc", "a-b.c0", "1.2"}) {
    EXPECT_TRUE(is_dns_name(name)) << name;
  }
  const std::string label(63, 'a');
  EXPECT_TRUE(is_dns_name(label + "." + label + "." + label + "." + std::string(61, 'a')));
  EXPECT_FALSE(is_dns_name(label + "." + label + "." + label + "." + std::string(62, 'a')));
  for (const char* name : {"", ".", "a.", ".a", "*", "*.", "a.*", "-a", "a-", "a_b", "a b", "ä"}) {
    EXPECT_FALSE(is_dns_name(name)) << name;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::certificates
