#include "webhook/cluster/api_error.h"

#include <gtest/gtest.h>

#include "webhook/cluster/lease.h"

namespace plimsoll::webhook::cluster {
namespace {

TEST(ApiError, IsReadFromAStatus) {
  const ApiError error = error_of(
      409,
      R"({"kind":"Status","reason":"Conflict","message":"the object has been modified","code":409})");
  EXPECT_EQ(error.code, 409U);
  EXPECT_TRUE(error.is_conflict());
  EXPECT_EQ(error.text(), "409 Conflict: the object has been modified");
  EXPECT_FALSE(error_of(409, R"({"reason":"AlreadyExists"})").is_conflict());
}

TEST(ApiError, KnowsAVersionThatIsNotThereYet) {
  const ApiError error = error_of(
      504,
      R"({"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}],"retryAfterSeconds":1}})");
  EXPECT_TRUE(error.version_too_large);
  EXPECT_EQ(error.retry_after, std::chrono::seconds(1));
}

TEST(ApiError, TakesAnythingForABody) {
  for (const char* body :
       {"", "<html>", "[]", "null", "{", R"({"code":"x","message":5,"details":[]})"}) {
    const ApiError error = error_of(502, body);
    EXPECT_EQ(error.text(), "502: it gave no reason") << body;
  }
  EXPECT_EQ(error_of(403, "{\"message\":\"a\\nb\"}").message.find('\n'), std::string::npos);
}

TEST(ApiError, OfAWatchHasItsOwnCode) {
  policy::json::Parser parser;
  policy::json::Element root;
  const simdjson::padded_string text(std::string_view(R"({"code":410,"reason":"Expired"})"));
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS);
  EXPECT_TRUE(error_of(*policy::json::as_object(root)).is_gone());
}

TEST(MicroTime, HasExactlySixDigits) {
  using std::chrono::system_clock;
  const auto at = system_clock::time_point(std::chrono::seconds(1'795'000'000));
  EXPECT_EQ(micro_time(at), "2026-11-18T11:06:40.000000Z");
  EXPECT_EQ(micro_time(at + std::chrono::microseconds(42)), "2026-11-18T11:06:40.000042Z");
}

}  // namespace
}  // namespace plimsoll::webhook::cluster
