#include "webhook/net/url.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

TEST(Url, GoodOnesAreTakenApart) {
  const struct {
    std::string_view text;
    std::string_view shown;
    std::string_view target;
    std::uint16_t port;
  } rows[] = {
      {"https://a.b/c?d=e", "https://a.b/c", "/c?d=e", 443},
      {"http://A.B", "http://a.b/", "/", 80},
      {"https://a:443/x", "https://a/x", "/x", 443},
      {"https://a:5000/v2/", "https://a:5000/v2/", "/v2/", 5000},
      {"https://[::1]:5000/", "https://[::1]:5000/", "/", 5000},
      {"https://127.0.0.1/%2e%2e/", "https://127.0.0.1/%2e%2e/", "/%2e%2e/", 443},
  };
  for (const auto& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->shown(), row.shown);
    EXPECT_EQ(url->target, row.target);
    EXPECT_EQ(url->port, row.port);
  }
}

TEST(Url, BadOnesAreRefused) {
  for (const std::string& text : {std::string(),
                                  std::string("a.b/c"),
                                  std::string("ftp://a/b"),
                                  std::string("https://"),
                                  std::string("https://u:p@a/b"),
                                  std::string("https://u@a/b"),
                                  std::string("https://a/b#c"),
                                  std::string("https://a/b c"),
                                  std::string("https://a/\r\nX: y"),
                                  std::string("https://a:0/"),
                                  std::string("https://a:99999/"),
                                  std::string("https://a/\x7f"),
                                  std::string("file:///etc/passwd"),
                                  std::string("m.:#"),
                                  std::string("https:a/b"),
                                  "https://a/" + std::string(kMaxUrlBytes, 'a')}) {
    EXPECT_FALSE(parse_url(text)) << text.substr(0, 80);
  }
}

TEST(Url, LocationsAreResolved) {
  const Url base = *parse_url("https://r.corp:5000/v2/a/blobs/x?y=z");
  const struct {
    std::string_view location;
    std::string_view target;
  } rows[] = {
      {"/storage/x?sig=1", "https://r.corp:5000/storage/x"},
      {"x2", "https://r.corp:5000/v2/a/blobs/x2"},
      {"../y", "https://r.corp:5000/v2/a/y"},
      {"./../../../../../y", "https://r.corp:5000/y"},
      {"?q=1", "https://r.corp:5000/v2/a/blobs/x"},
      {"HTTPS://S3.example/x", "https://s3.example/x"},
      {"//other/x", "https://other/x"},
      {"https://s3.example/x", "https://s3.example/x"},
      {"http://s3.example/x", "http://s3.example/x"},
  };
  for (const auto& row : rows) {
    const auto url = resolve_location(base, row.location);
    ASSERT_TRUE(url) << row.location;
    EXPECT_EQ(url->shown(), row.target);
  }
  for (const std::string_view bad : {"",
                                     "https://u:p@a/",
                                     "gopher://a/",
                                     "m.:#",
                                     "javascript:alert(1)",
                                     "x#y",
                                     "https://a/\x01",
                                     "http://"}) {
    EXPECT_FALSE(resolve_location(base, bad)) << bad;
  }
}

TEST(Url, QueriesAreEncoded) {
  EXPECT_EQ(percent_encoded("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
  EXPECT_EQ(percent_encoded("a&b=c d\r\n"), "a%26b%3Dc%20d%0D%0A");
}

}  // namespace
}  // namespace plimsoll::webhook::net
