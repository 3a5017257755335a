#include "webhook/admission/review_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/webhook/admission/endpoint.h"

namespace plimsoll::webhook::admission {
namespace {

using policy::Operation;

// A parsed text and what was read of it; views are into the parser.
struct Reading {
  explicit Reading(const std::string& text) {
    policy::json::Element root;
    EXPECT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
    envelope = read_envelope(root);
  }
  policy::json::Parser parser;
  std::expected<Envelope, NotAReview> envelope = std::unexpected("not read");
};

std::string with_request(const std::string& request) {
  return R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{)" + request +
         "}}";
}

constexpr const char* kWhole =
    R"("uid":"u","kind":{"group":"g","kind":"K"},"resource":{},"operation":"CREATE","object":{})";

TEST(ReviewReader, ReadsEveryMemberThatCounts) {
  auto review = review_of(bad_pod(), "UPDATE", good_pod());
  review["request"]["subResource"] = "ephemeralcontainers";
  review["request"]["dryRun"] = true;
  review["request"]["somethingNew"] = Json{{"a", 1}};
  const Reading reading(review.dump());
  ASSERT_TRUE(reading.envelope);
  const Envelope& envelope = *reading.envelope;
  EXPECT_EQ(envelope.api_version, "admission.k8s.io/v1");
  EXPECT_EQ(envelope.uid, kTestUid);
  EXPECT_EQ(envelope.group, "");
  EXPECT_EQ(envelope.kind, "Pod");
  EXPECT_EQ(envelope.name, "p");
  EXPECT_EQ(envelope.name_space, "shop");
  EXPECT_EQ(envelope.user, "alice");
  EXPECT_EQ(envelope.operation, Operation::kUpdate);
  EXPECT_EQ(envelope.subresource, "ephemeralcontainers");
  EXPECT_TRUE(envelope.dry_run);
  EXPECT_TRUE(envelope.object);
  EXPECT_TRUE(envelope.old_object);
  EXPECT_FALSE(envelope.old_unreadable);
  EXPECT_EQ(envelope.fault, "");
}

TEST(ReviewReader, KnowsTheFourOperations) {
  const struct {
    std::string word;
    Operation operation;
  } rows[] = {{"CREATE", Operation::kCreate},
              {"UPDATE", Operation::kUpdate},
              {"DELETE", Operation::kDelete},
              {"CONNECT", Operation::kConnect},
              {"create", Operation::kOther},
              {"PATCH", Operation::kOther}};
  for (const auto& row : rows) {
    const Reading reading(review_of(good_pod(), row.word).dump());
    ASSERT_TRUE(reading.envelope) << row.word;
    EXPECT_EQ(reading.envelope->operation, row.operation) << row.word;
    EXPECT_EQ(reading.envelope->operation_word, row.word);
  }
}

TEST(ReviewReader, SaysWhyABodyIsNoReview) {
  const std::string review = R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1")";
  const std::string long_uid(254, 'x');
  const struct {
    std::string body;
    std::string_view why;
  } rows[] = {
      {"[]", "not an object"},
      {"5", "not an object"},
      {"{}", "kind is not"},
      {R"({"kind":"Pod","apiVersion":"admission.k8s.io/v1","request":{"uid":"u"}})", "kind is not"},
      {R"({"kind":5,"apiVersion":"admission.k8s.io/v1","request":{"uid":"u"}})", "kind is not"},
      {R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2","request":{"uid":"u"}})",
       "apiVersion"},
      {R"({"kind":"AdmissionReview","request":{"uid":"u"}})", "apiVersion"},
      {R"({"kind":"AdmissionReview","apiVersion":"v1","request":{"uid":"u"}})", "apiVersion"},
      {review + "}", "request is missing"},
      {review + R"(,"request":null})", "request is missing"},
      {review + R"(,"request":[]})", "request is missing"},
      {review + R"(,"request":{"uid":"u"},"request":{"uid":"v"}})", "more than once"},
      {with_request(""), "request.uid"},
      {with_request(R"("uid":"")"), "request.uid"},
      {with_request(R"("uid":5)"), "request.uid"},
      {with_request(R"("uid":null)"), "request.uid"},
      {with_request(R"("uid":"a b")"), "request.uid"},
      {with_request(R"("uid":"a\u0000b")"), "request.uid"},
      {with_request(R"("uid":"\u00e4")"), "request.uid"},
      {with_request(R"("uid":")" + long_uid + "\""), "request.uid"},
      {with_request(R"("uid":"u","uid":"u")"), "more than once"},
  };
  for (const auto& row : rows) {
    const Reading reading(row.body);
    ASSERT_FALSE(reading.envelope) << row.body;
    EXPECT_NE(reading.envelope.error().find(row.why), std::string_view::npos)
        << row.body << ": " << reading.envelope.error();
  }
}

TEST(ReviewReader, NotesWhatIsWrongWhereTheUidCanBeAnswered) {
  const struct {
    std::string request;
    std::string_view fault;
  } rows[] = {
      {kWhole, ""},
      {R"("uid":"u","kind":{"kind":"K"},"resource":{})", "request.operation is missing"},
      {R"("uid":"u","kind":{"kind":"K"},"resource":{},"operation":5)",
       "request.operation is missing"},
      {R"("uid":"u","kind":{"kind":"K"},"operation":"CREATE")", "request.resource is missing"},
      {R"("uid":"u","kind":{"kind":"K"},"operation":"CREATE","resource":"pods")",
       "request.resource is missing"},
      {R"("uid":"u","operation":"CREATE","resource":{})", "request.kind is missing"},
      {R"("uid":"u","operation":"CREATE","resource":{},"kind":"Pod")", "request.kind is missing"},
      {std::string(kWhole) + R"(,"object":5)", "request.object is not an object"},
      {std::string(kWhole) + R"(,"object":[])", "request.object is not an object"},
      {std::string(kWhole) + R"(,"object":null)", ""},
  };
  for (const auto& row : rows) {
    const Reading reading(with_request(row.request));
    ASSERT_TRUE(reading.envelope) << row.request << ": " << reading.envelope.error();
    EXPECT_EQ(reading.envelope->fault, row.fault) << row.request;
  }
}

TEST(ReviewReader, TakesTheLastOfRepeatedMembers) {
  const Reading reading(
      with_request(std::string(kWhole) +
                   R"(,"operation":"DELETE","namespace":"a","namespace":"b","object":null,)"
                   R"("oldObject":5,"oldObject":{},"userInfo":{"username":"x","username":"y"})"));
  ASSERT_TRUE(reading.envelope);
  EXPECT_EQ(reading.envelope->operation, Operation::kDelete);
  EXPECT_EQ(reading.envelope->name_space, "b");
  EXPECT_EQ(reading.envelope->user, "y");
  EXPECT_FALSE(reading.envelope->object);
  EXPECT_TRUE(reading.envelope->old_object);
  EXPECT_FALSE(reading.envelope->old_unreadable);
}

TEST(ReviewReader, TellsAnUnreadableOldObjectFromNone) {
  const Reading none(with_request(std::string(kWhole) + R"(,"oldObject":null)"));
  ASSERT_TRUE(none.envelope);
  EXPECT_FALSE(none.envelope->old_unreadable);
  const Reading number(with_request(std::string(kWhole) + R"(,"oldObject":"x")"));
  ASSERT_TRUE(number.envelope);
  EXPECT_TRUE(number.envelope->old_unreadable);
  EXPECT_FALSE(number.envelope->old_object);
}

TEST(ReviewReader, IgnoresMembersOfWrongTypeThatNothingHangsOn) {
  const Reading reading(with_request(
      std::string(kWhole) +
      R"(,"name":5,"namespace":[],"userInfo":"x","dryRun":"true","subResource":null)"));
  ASSERT_TRUE(reading.envelope);
  EXPECT_EQ(reading.envelope->name, "");
  EXPECT_EQ(reading.envelope->name_space, "");
  EXPECT_EQ(reading.envelope->user, "");
  EXPECT_FALSE(reading.envelope->dry_run);
  EXPECT_EQ(reading.envelope->subresource, "");
  EXPECT_EQ(reading.envelope->fault, "");
}

}  // namespace
}  // namespace plimsoll::webhook::admission
