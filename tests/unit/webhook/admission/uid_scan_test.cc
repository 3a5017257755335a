#include "webhook/admission/uid_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::admission {
namespace {

std::string uid_in(std::string_view body) {
  const auto scanned = scan_review(body);
  return scanned ? scanned->uid : "-";
}

TEST(UidScan, FindsTheUidOfTheRequestOnly) {
  const struct {
    std::string_view body;
    std::string_view uid;
  } rows[] = {
      {R"({"request":{"uid":"a"}})", "a"},
      {R"( { "kind" : "AdmissionReview" , "request" : { "uid" : "a-b.c" } } )", "a-b.c"},
      {"{\n\t\"request\"\r\n:{\"uid\"\n:\n\"a\"}}", "a"},
      {R"({"request":{"name":"n","uid":"a"}})", "a"},
      // Not the request's own.
      {R"({"uid":"a"})", "-"},
      {R"({"request":{"kind":{"uid":"a"}}})", "-"},
      {R"({"request":{"object":{"metadata":{"uid":"x"}},"uid":"a"}})", "a"},
      {R"({"request":{"list":[{"uid":"x"}],"uid":"a"}})", "a"},
      {R"({"response":{"uid":"x"},"request":{"uid":"a"}})", "a"},
      {R"({"other":{"request":{"uid":"x"}}})", "-"},
      {R"({"request":["uid","x"]})", "-"},
      {R"({"request":[{"uid":"x"}]})", "-"},
      {R"([{"request":{"uid":"x"}}])", "-"},
      {R"(["request",{"uid":"x"}])", "-"},
      {R"({"x":"request","y":{"uid":"x"}})", "-"},
      {R"({"request":5,"y":{"uid":"x"}})", "-"},
      {R"({"request":{"x":"uid","y":"z"}})", "-"},
      {R"({"request":{"x":["uid"],"y":"z"}})", "-"},
      {R"({"Request":{"uid":"x"}})", "-"},
      {R"({"request":{"UID":"x"}})", "-"},
      // Text that only looks like it.
      {R"({"note":"{\"request\":{\"uid\":\"x\"}}","request":{"uid":"a"}})", "a"},
      {R"({"note":"\\","request":{"uid":"a"}})", "a"},
      {R"({"note":"\"","request":{"uid":"a"}})", "a"},
      // Values that no API server sends.
      {R"({"request":{"uid":""}})", "-"},
      {R"({"request":{"uid":5}})", "-"},
      {R"({"request":{"uid":null}})", "-"},
      {R"({"request":{"uid":true}})", "-"},
      {R"({"request":{"uid":["x"]}})", "-"},
      {R"({"request":{"uid":{"a":"x"}}})", "-"},
      {R"({"request":{"uid":"a b"}})", "-"},
      {R"({"request":{"uid":"a\nb"}})", "-"},
      {R"({"request":{"uid":"\u0061"}})", "-"},
      {"{\"request\":{\"uid\":\"\xC3\xA4\"}}", "-"},
      {"{\"request\":{\"uid\":\"a\nb\"}}", "-"},
      {std::string_view("{\"request\":{\"uid\":\"a\0b\"}}", 25), "-"},
      // Broken or cut.
      {"", "-"},
      {R"({"request":{"uid":"a")", "a"},
      {R"({"request":{"uid":"a)", "-"},
      {R"({"request":{"uid":)", "-"},
      {R"({"request":{"uid":"a\)", "-"},
      {R"({"request":{"uid":"a",,,}}}}]]])", "a"},
      {R"(}]}{"request":{"uid":"a"}})", "a"},
      {R"({"request":{"uid" "a"}})", "-"},
      {R"({"request" {"uid":"a"}})", "-"},
  };
  for (const auto& row : rows) EXPECT_EQ(uid_in(row.body), row.uid) << row.body;
}

TEST(UidScan, TakesAUidOf253BytesAndNoMore) {
  const auto body = [](std::size_t bytes) {
    return R"({"request":{"uid":")" + std::string(bytes, 'x') + R"("}})";
  };
  EXPECT_EQ(uid_in(body(kMaxUidBytes)), std::string(kMaxUidBytes, 'x'));
  EXPECT_EQ(uid_in(body(kMaxUidBytes + 1)), "-");
}

TEST(UidScan, TellsTheApiVersionThatStandsBeforeTheRequest) {
  const auto version = [](std::string_view body) {
    const auto scanned = scan_review(body);
    return scanned ? scanned->api_version : "-";
  };
  EXPECT_EQ(version(R"({"apiVersion":"v","request":{"uid":"a"}})"), "v");
  EXPECT_EQ(version(R"({"request":{"uid":"a"},"apiVersion":"v"})"), "");
  EXPECT_EQ(version(R"({"request":{"apiVersion":"v","uid":"a"}})"), "");
  EXPECT_EQ(version(R"({"apiVersion":5,"request":{"uid":"a"}})"), "");
}

TEST(UidScan, NeedsNoStackForDepth) {
  const std::string open(4'000'000, '[');
  EXPECT_EQ(uid_in(R"({"x":)" + open + R"("request":{"uid":"x"})"), "-");
  const std::string closed(4'000'000, ']');
  EXPECT_EQ(uid_in(R"({"x":)" + open + closed + R"(,"request":{"uid":"a"}})"), "a");
}

TEST(UidScan, EveryPrefixOfAReviewGivesTheUidOrNothing) {
  const std::string body =
      R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","object":{}}})";
  const std::size_t end = body.find("u-1") + 4;  // behind the closing quote
  for (std::size_t length = 0; length <= body.size(); ++length) {
    EXPECT_EQ(uid_in(body.substr(0, length)), length < end ? "-" : "u-1") << length;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::admission
