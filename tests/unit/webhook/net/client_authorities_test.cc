#include "webhook/net/client_authorities.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "webhook/net/client_check.h"
#include "webhook/net/x509_maker.h"

namespace plimsoll::webhook::net {
namespace {

using testing::HasSubstr;
using Change = PolledFiles::Change;
using Extensions = std::vector<CertificateExtension>;

const Extensions kAuthority = {{"basicConstraints", "critical,CA:TRUE"},
                               {"keyUsage", "critical,keyCertSign,cRLSign"}};
const Extensions kClient = {{"basicConstraints", "critical,CA:FALSE"},
                            {"extendedKeyUsage", "clientAuth"}};

// Valid from so many days from now, for a day.
PemPair certificate(const std::string& name, const Extensions& extensions, int begins = 0) {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto from = now + std::chrono::days(begins) - std::chrono::minutes(1);
  return *make_certificate({name, from, from + std::chrono::days(1), extensions});
}

std::string authority(const std::string& name, int begins = 0) {
  return certificate(name, kAuthority, begins).certificate;
}

TEST(ClientAuthorities, TakesWhatSomebodyMayBeTrustedBy) {
  const std::string now = authority("now");
  const struct {
    const char* what;
    std::string pem;
  } rows[] = {
      {"one", now},
      {"two", now + authority("other")},
      {"the same twice", now + now},
      {"text around it, as openssl writes it", "# Issuer: CN=now\n" + now + "\n# the end\n"},
      {"one that has expired beside one that has not", authority("old", -9) + now},
      {"one that is not valid yet", authority("soon", 9)},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto made = ClientAuthorities::make(row.pem, {"kube-apiserver"});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ((*made)->names(), std::vector<std::string>{"kube-apiserver"});
  }
}

TEST(ClientAuthorities, RefusesWhatNobodyCanBeTrustedBy) {
  const std::string now = authority("now");
  const struct {
    const char* what;
    std::string pem;
    const char* why;
  } rows[] = {
      {"nothing", "", "there is no certificate"},
      {"nonsense", "nonsense", "there is no certificate"},
      {"a key alone", certificate("now", kAuthority).key, "there is no certificate"},
      {"half of one", now.substr(0, now.size() / 2), "certificate 1 in it cannot be read"},
      {"one and a half", now + now.substr(0, now.size() / 2), "certificate 2 in it cannot be read"},
      {"a client's own", certificate("me", kClient).certificate, "1 in it is no authority's"},
      {"an authority and a client",
       now + certificate("me", kClient).certificate,
       "2 in it is no authority's"},
      {"one that does not say what it may do (RFC 5280 4.2.1.9)",
       certificate("plain", {}).certificate,
       "1 in it is no authority's"},
      {"expired ones", authority("old", -9) + authority("older", -30), "every certificate in it"},
      {"too much", now + std::string(kMaxPemBytes, '\n'), "larger than 64 KiB"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto made = ClientAuthorities::make(row.pem, {});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr(row.why));
    EXPECT_EQ(made.error().message.find('\n'), std::string::npos);
  }
}

TEST(ClientNames, AreComparedAsAWhole) {
  const std::string pem = certificate("Kube-APIserver",
                                      {{"subjectAltName",
                                        "DNS:api.Example.com,DNS:*.example.org,IP:10.0.0.1,"
                                        "email:ship@example.com,URI:spiffe://hull/api"}})
                              .certificate;
  const auto read = read_x509(pem);
  ASSERT_TRUE(read);
  const struct {
    std::string name;
    bool is_its_own;
  } rows[] = {
      {"Kube-APIserver", true},   // the common name, as it is written
      {"kube-apiserver", false},  // which is no DNS name
      {"Kube-APIserve", false},
      {"Kube-APIserver2", false},
      {"CN=Kube-APIserver", false},
      {std::string("Kube-APIserver\0", 15), false},
      {"api.example.com", true},
      {"API.EXAMPLE.COM", true},
      {"api.example.com.", false},
      {"example.com", false},
      {"*.example.com", false},
      {"www.example.org", false},  // wildcards are for servers
      {"*.example.org", true},     // as it is written
      {"10.0.0.1", false},
      {"ship@example.com", false},
      {"spiffe://hull/api", false},
      {"", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(has_name_of(read->get(), {row.name}), row.is_its_own);
    EXPECT_EQ(has_name_of(read->get(), {"another", row.name}), row.is_its_own);
  }
  EXPECT_FALSE(has_name_of(read->get(), {}));
}

class ClientAuthorityFileTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    file_ = std::filesystem::temp_directory_path() /
            ("plimsoll-" + std::to_string(getpid()) + "-" + test->name());
  }
  void TearDown() override { std::filesystem::remove(file_); }

  void write(const std::string& text) const { std::ofstream(file_) << text; }

  std::filesystem::path file_;
};

TEST_F(ClientAuthorityFileTest, KeepsTheOldOnesOnAnyErrorAndTellsOnce) {
  write(authority("first"));
  ClientAuthorityFile file(file_, {"me"});
  ASSERT_TRUE(file.load());
  const auto first = file.current().read();
  EXPECT_EQ(file.poll().change, Change::kNone);

  write("nonsense");
  const auto refused = file.poll();
  EXPECT_EQ(refused.change, Change::kFailed);
  EXPECT_THAT(refused.message, HasSubstr(file_.string() + ": there is no certificate"));
  EXPECT_EQ(file.poll().change, Change::kNone);
  std::filesystem::remove(file_);
  EXPECT_EQ(file.poll().change, Change::kFailed);
  EXPECT_EQ(file.failures(), 2U);
  EXPECT_EQ(file.current().read(), first);

  write(authority("second"));
  EXPECT_EQ(file.poll().change, Change::kSwapped);
  EXPECT_NE(file.current().read(), first);
  EXPECT_EQ(file.current().read()->names(), std::vector<std::string>{"me"});
  EXPECT_EQ(file.swaps(), 1U);
}

TEST_F(ClientAuthorityFileTest, SaysWhatIsWrongAtTheStart) {
  ClientAuthorityFile file(file_, {});
  const auto missing = file.load();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("cannot be opened"));
  write(std::string(kMaxPemBytes + 1, 'x'));
  const auto large = file.load();
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().message, HasSubstr("64 KiB"));
  EXPECT_EQ(file.current().read(), nullptr);
}

}  // namespace
}  // namespace plimsoll::webhook::net
