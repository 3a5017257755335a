#include "webhook/policy_sources/policy_objects.h"

#include <string>

#include <gtest/gtest.h>

#include "webhook/policy_sources/namespaces.h"

namespace plimsoll::webhook::policy_sources {
namespace {

namespace json = policy::json;

// Calls `use` with the object that the text is.
template <class Use>
void with_object(const std::string& text, Use use) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  ASSERT_EQ(parser.parse(padded).get(root), simdjson::SUCCESS) << text;
  use(*json::as_object(root));
}

std::string policy_text(int generation,
                        const std::string& rules,
                        const std::string& status = "{}") {
  return R"({"metadata":{"name":"p","uid":"u","resourceVersion":"1","generation":)" +
         std::to_string(generation) + R"(},"spec":{"rules":)" + rules + R"(},"status":)" + status +
         "}";
}

constexpr const char* kGood = R"({"image-tag":{"action":"enforce"}})";
constexpr const char* kBad = R"({"image-tga":{"action":"enforce"}})";

TEST(PolicyObjects, KeepTheSpecBeforeTheMistake) {
  int changes = 0;
  PolicyObjects objects([&changes] { ++changes; });
  const auto put = [&objects](const json::Object& object) { objects.put(object); };
  with_object(policy_text(1, kGood), put);
  with_object(policy_text(2, kBad), put);
  const PolicyObject& object = objects.all().at("p");
  ASSERT_TRUE(object.in_force);
  EXPECT_EQ(object.in_force_generation, 1);
  EXPECT_EQ(object.generation, 2);
  EXPECT_NE(object.refusal.find("spec.rules.image-tga"), std::string::npos) << object.refusal;
  EXPECT_NE(object.refusal.find("image-tag"), std::string::npos) << object.refusal;
  EXPECT_EQ(changes, 2);
}

TEST(PolicyObjects, RememberByTheStatus) {
  const std::string status =
      std::string(R"({"inForce":{"generation":4,"spec":{"rules":)") + kGood + "}}}";
  PolicyObjects objects([] {});
  const auto put = [&objects](const json::Object& object) { objects.put(object); };
  with_object(policy_text(5, kBad), put);
  EXPECT_FALSE(objects.all().at("p").in_force);
  with_object(policy_text(5, kBad, status), put);  // the status came later
  ASSERT_TRUE(objects.all().at("p").in_force);
  EXPECT_EQ(objects.all().at("p").in_force_generation, 4);
  with_object(policy_text(6, kBad, R"({"inForce":{"spec":{"rules":5}}})"), put);
  EXPECT_EQ(objects.all().at("p").in_force_generation, 4) << "what is in force is better than that";
}

TEST(PolicyObjects, ForgetWhatAListDoesNotName) {
  PolicyObjects objects([] {});
  with_object(policy_text(1, kGood),
              [&objects](const json::Object& object) { objects.put(object); });
  objects.begin();
  objects.listed();
  EXPECT_TRUE(objects.all().empty());
}

TEST(PoliciesOf, IsTheSameWhereTheSameObjectsAre) {
  PolicyObjects one([] {});
  PolicyObjects two([] {});
  ExceptionObjects exceptions([] {});
  EXPECT_EQ(policies_of(one, exceptions, {}), nullptr);
  for (PolicyObjects* objects : {&one, &two}) {
    with_object(policy_text(1, kGood),
                [objects](const json::Object& object) { objects->put(object); });
  }
  const auto first = policies_of(one, exceptions, {});
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->revision, policies_of(two, exceptions, {})->revision);
  with_object(policy_text(2, R"({"image-tag":{"action":"warn"}})"),
              [&two](const json::Object& object) { two.put(object); });
  EXPECT_NE(first->revision, policies_of(two, exceptions, {})->revision);
}

TEST(Namespaces, TellUnknownFromUnlabelled) {
  Namespaces namespaces;
  const auto put = [&namespaces](const json::Object& object) { namespaces.put(object); };
  namespaces.begin();
  with_object(R"({"metadata":{"name":"a","labels":{"tier":"gold","x":"","bad":5}}})", put);
  with_object(R"({"metadata":{"name":"b"}})", put);
  namespaces.listed();
  EXPECT_EQ(namespaces.find("c"), nullptr);
  ASSERT_NE(namespaces.find("b"), nullptr);
  EXPECT_TRUE(namespaces.find("b")->labels().empty());
  const auto labels = namespaces.find("a")->labels();
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels[0].key, "tier");
  EXPECT_EQ(labels[0].value, "gold");
  EXPECT_EQ(labels[1].value, "");
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
