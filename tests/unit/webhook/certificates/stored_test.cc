#include "webhook/certificates/stored.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::certificates {
namespace {

TEST(Stored, ComesFromTheSecretsKeysAndGoesBack) {
  const std::map<std::string, std::string> data = {
      {"tls.crt", "1"},
      {"tls.key", "2"},
      {"ca.crt", "3"},
      {"ca.key", "4"},
      {"next-ca.crt", "5"},
      {"next-ca.key", "6"},
      {"next-ca-since", "7"},
  };
  const Stored stored = stored_of(data);
  EXPECT_EQ(stored.tls_crt, "1");
  EXPECT_EQ(stored.tls_key, "2");
  EXPECT_EQ(stored.ca_crt, "3");
  EXPECT_EQ(stored.ca_key, "4");
  EXPECT_EQ(stored.next_ca_crt, "5");
  EXPECT_EQ(stored.next_ca_key, "6");
  EXPECT_EQ(stored.next_ca_since, "7");
  EXPECT_EQ(data_of(stored), data);
}

TEST(Stored, LeavesOutNothingAndTakesNothingElse) {
  const Stored stored = stored_of({{"tls.crt", "1"}, {"namespace", "ships"}});
  Stored expected;
  expected.tls_crt = "1";
  EXPECT_EQ(stored, expected);
  const std::map<std::string, std::string> data = data_of(stored);
  EXPECT_EQ(data.size(), 7U);
  EXPECT_EQ(data.count("namespace"), 0U);
  EXPECT_EQ(data.count("next-ca-since"), 1U);
}

}  // namespace
}  // namespace plimsoll::webhook::certificates
