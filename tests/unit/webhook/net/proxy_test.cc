#include "webhook/net/proxy.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

using Variables = std::map<std::string, std::string>;

policy::Result<ProxySettings> settings_of(const Variables& variables) {
  return ProxySettings::from([&variables](const char* name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  });
}

std::string way_to(const Variables& variables, std::string_view url) {
  const auto settings = settings_of(variables);
  if (!settings) return settings.error().message;
  const Proxy* proxy = settings->proxy_for(*parse_url(url));
  return proxy == nullptr ? "directly" : proxy->host + ":" + std::to_string(proxy->port);
}

TEST(Proxy, EachSchemeHasItsOwn) {
  const Variables both = {{"HTTPS_PROXY", "http://a:3128"}, {"http_proxy", "b:8080"}};
  EXPECT_EQ(way_to(both, "https://r.io/"), "a:3128");
  EXPECT_EQ(way_to(both, "http://r.io/"), "b:8080");
  EXPECT_EQ(way_to({}, "https://r.io/"), "directly");
  EXPECT_EQ(way_to({{"HTTPS_PROXY", "http://a"}, {"https_proxy", "http://c:1"}}, "https://r/"),
            "c:1");
}

TEST(Proxy, ExceptionsAreNamesSuffixesAddressesAndRanges) {
  const struct {
    const char* exceptions;
    const char* url;
    bool direct;
  } rows[] = {
      {"*", "https://r.io/", true},
      {"r.io", "https://r.io/", true},
      {"r.io", "https://a.r.io/", true},
      {"r.io", "https://bar.io/", false},
      {".r.io", "https://a.r.io/", true},
      {"*.r.io", "https://a.r.io/", true},
      {"x, r.io ,y", "https://r.io/", true},
      {"r.io:5000", "https://r.io:5000/", true},
      {"r.io:5000", "https://r.io/", false},
      {"10.0.0.0/8", "https://10.1.2.3/", true},
      {"10.0.0.0/8", "https://11.1.2.3/", false},
      {"fd00::/8", "https://[fd12::1]/", true},
      {"127.0.0.1", "https://127.0.0.1:5000/", true},
      {"R.IO", "https://r.io/", true},
      {"", "https://r.io/", false},
  };
  for (const auto& row : rows) {
    const Variables variables = {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", row.exceptions}};
    EXPECT_EQ(way_to(variables, row.url) == "directly", row.direct)
        << row.exceptions << " " << row.url;
  }
}

TEST(Proxy, CredentialsAreKeptAndNeverTold) {
  const auto settings = settings_of({{"HTTPS_PROXY", "http://user:p%40ss@p:1"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->proxy_for(*parse_url("https://r/"))->authorization, "Basic dXNlcjpwQHNz");
  const auto bad = settings_of({{"HTTPS_PROXY", "socks5://user:hunter2@p:1"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, testing::HasSubstr("HTTPS_PROXY must be"));
  EXPECT_THAT(bad.error().message, testing::Not(testing::HasSubstr("hunter2")));
}

}  // namespace
}  // namespace plimsoll::webhook::net
