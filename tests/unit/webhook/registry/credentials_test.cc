#include "webhook/registry/credentials.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "webhook/net/base64.h"

namespace plimsoll::webhook::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Keyring keyring_of(const std::vector<std::string>& keys, CredentialSource source) {
  std::string text = R"({"auths":{)";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    text += (i > 0 ? "," : "") + ("\"" + keys[i] + R"(":{"username":"u","password":"p"})");
  }
  auto keyring = Keyring::read(text + "}}", source);
  EXPECT_TRUE(keyring) << text;
  return keyring ? *keyring : Keyring();
}

// What the kubelet's own keyring answers (pkg/credentialprovider, keyring_test.go and tried).
TEST(Credentials, EntriesFitAsTheKubeletSays) {
  const struct {
    std::string key;
    std::string_view domain;
    std::string_view path;
    bool fits;
  } rows[] = {
      {"https://index.docker.io/v1/", "docker.io", "library/ubuntu", true},
      {"https://index.docker.io/v1", "docker.io", "library/ubuntu", false},
      {"index.docker.io", "docker.io", "acme/app", true},
      {"docker.io", "docker.io", "acme/app", true},
      {"https://docker.io/v1/", "docker.io", "acme/app", true},
      {"registry-1.docker.io", "docker.io", "acme/app", false},
      {"*.docker.io", "docker.io", "acme/app", false},
      {"docker.io/acme", "docker.io", "acme/app", true},
      {"docker.io/acme", "docker.io", "acme-evil/app", true},
      {"reg.example.com", "reg.example.com", "a/b", true},
      {"https://reg.example.com/v2/", "reg.example.com", "a/b", true},
      {"reg.example.com/", "reg.example.com", "a/b", true},
      {"http://reg.example.com", "reg.example.com", "a/b", true},
      {"reg.example.com/a", "reg.example.com", "a/b", true},
      {"reg.example.com/a/", "reg.example.com", "a/b", true},
      {"reg.example.com/a/b", "reg.example.com", "a/b", true},
      {"reg.example.com/a/b/", "reg.example.com", "a/b", false},
      {"reg.example.com/a", "reg.example.com", "ab/c", true},
      {"reg.example.com/v2/team", "reg.example.com", "team/app", true},
      {"reg.example.com:443", "reg.example.com", "a", false},
      {"reg.example.com", "reg.example.com:443", "a", false},
      {"reg.example.com:5000", "reg.example.com:5000", "a", true},
      {"*.example.com", "reg.example.com", "a", true},
      {"*.example.com", "a.reg.example.com", "a", false},
      {"*", "localhost", "a", true},
      {"*.*", "example.com", "x", true},
      {"r*g.example.com", "reg.example.com", "a", true},
      {"re[f-h].example.com", "reg.example.com", "a", true},
      {"reg.*.com", "reg.example.com", "a", true},
      {"REG.example.com", "reg.example.com", "a", false},
      {"reg.example.com/*", "reg.example.com", "a", false},
      {"123456789012.dkr.ecr.*.amazonaws.com",
       "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
       "a",
       true},
      {"[::1]:5000", "[::1]:5000", "a", true},
      {"reg.example.com.evil.com", "reg.example.com", "a", false},
      {"reg.example.com", "reg.example.com.evil.com", "a", false},
  };
  for (const auto& row : rows) {
    const Keyring keyring = keyring_of({row.key}, CredentialSource::kPullSecret);
    EXPECT_EQ(!keyring.candidates(row.domain, row.path).empty(), row.fits)
        << row.key << " for " << row.domain << "/" << row.path;
  }
}

TEST(Credentials, OurOwnEndAtSlashes) {
  const Keyring own = keyring_of({"docker.io/acme"}, CredentialSource::kOwn);
  EXPECT_EQ(own.candidates("docker.io", "acme/app").size(), 1U);
  EXPECT_TRUE(own.candidates("docker.io", "acme-evil/app").empty());
}

TEST(Credentials, TheLongestKeyComesFirst) {
  const Keyring keyring =
      keyring_of({"*.example.com", "reg.example.com", "reg.example.com/a", "reg.example.com/a/b"},
                 CredentialSource::kPullSecret);
  std::string order;
  for (const CredentialEntry* entry : keyring.candidates("reg.example.com", "a/b")) {
    order += entry->key + " ";
  }
  EXPECT_EQ(order, "reg.example.com/a/b reg.example.com/a reg.example.com *.example.com ");
}

TEST(Credentials, AuthOverridesAndIdentityTokensAreOursAlone) {
  const char* text =
      R"({"auths":{"r.io":{"username":"x","password":"y","auth":"dXNlcjpwYTpzcw==","identitytoken":"id"}}})";
  const auto own = Keyring::read(text, CredentialSource::kOwn);
  ASSERT_TRUE(own);
  const Credential& credential = own->candidates("r.io", "a")[0]->credential;
  EXPECT_EQ(credential.user, "user");
  EXPECT_EQ(credential.secret, "pa:ss");
  EXPECT_EQ(credential.identity_token, "id");
  const auto pulled = Keyring::read(text, CredentialSource::kPullSecret);
  EXPECT_TRUE(pulled->candidates("r.io", "a")[0]->credential.identity_token.empty());
}

TEST(Credentials, FingerprintsTellWithoutHolding) {
  const Credential a{"user", "secret", "", ""};
  const Credential b{"users", "ecret", "", ""};
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.fingerprint(), Credential(a).fingerprint());
  EXPECT_EQ(Credential().fingerprint(), "");
  EXPECT_THAT(a.fingerprint(), Not(HasSubstr("secret")));
}

TEST(Credentials, BadFilesAreToldWithoutTheirValues) {
  const struct {
    const char* text;
    const char* problem;
  } rows[] = {
      {"", "not valid JSON"},
      {"[]", "must be a JSON object"},
      {R"({"auths":[]})", "auths must be an object"},
      {R"({"auths":{"r.io":"hunter2"}})", "the entry \"r.io\" must be an object"},
      {R"({"auths":{"r.io":{"auth":"hunter2!"}}})", "auth of \"r.io\" is not the base64"},
      {R"({"auths":{"r.io":{"auth":"aHVudGVyMg=="}}})", "auth of \"r.io\" is not the base64"},
  };
  for (const auto& row : rows) {
    const auto read = Keyring::read(row.text, CredentialSource::kOwn);
    ASSERT_FALSE(read) << row.text;
    EXPECT_THAT(read.error().message, HasSubstr(row.problem)) << row.text;
    EXPECT_THAT(read.error().message, Not(HasSubstr("hunter2"))) << row.text;
  }
}

TEST(Base64, BothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(net::decode_base64("dXNlcjpw"), "user:p");
  EXPECT_EQ(net::decode_base64("dXNlcjpwYQ=="), "user:pa");
  EXPECT_EQ(net::decode_base64("dXNlcjpwYQ"), "user:pa");
  EXPECT_EQ(net::decode_base64("_-8"), net::decode_base64("/+8="));
  EXPECT_EQ(net::decode_base64(""), "");
  EXPECT_FALSE(net::decode_base64("a"));
  EXPECT_FALSE(net::decode_base64("a b"));
  EXPECT_EQ(net::decode_base64(net::encode_base64("\x01\xff user")), "\x01\xff user");
}

}  // namespace
}  // namespace plimsoll::webhook::registry
