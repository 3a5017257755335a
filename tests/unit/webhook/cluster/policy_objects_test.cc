#include "webhook/policy_sources/policy_objects.h"

#include <string>

#include <gtest/gtest.h>

#include "webhook/policy_sources/namespaces.h"
#include "webhook/policy_sources/policy_loader.h"

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

constexpr const char* kTrouble = "spec.x: a number that is too large";

// What the API hands on where the spec cannot be read.
std::string part_text(int generation, const std::string& status = "{}") {
  return R"({"metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"1","generation":)" +
         std::to_string(generation) + R"(},"status":)" + status + "}";
}

TEST(PolicyObjects, KeepTheSpecBeforeOneThatCannotBeRead) {
  const std::string status =
      std::string(R"({"inForce":{"generation":4,"spec":{"rules":)") + kGood + "}}}";
  PolicyObjects objects([] {});
  const auto put = [&objects](const json::Object& object) { objects.put(object); };
  const auto put_part = [&objects](const json::Object& object) {
    objects.put_part(object, kTrouble);
  };
  with_object(part_text(5, status), put_part);
  const PolicyObject& object = objects.all().at("p");
  ASSERT_TRUE(object.in_force) << "as the status remembers it";
  EXPECT_EQ(object.in_force_generation, 4);
  EXPECT_EQ(object.refusal, std::string("cannot be read: ") + kTrouble);
  with_object(policy_text(6, kGood), put);
  EXPECT_EQ(object.refusal, "");
  with_object(part_text(7), put_part);
  EXPECT_EQ(object.in_force_generation, 6);
  EXPECT_EQ(object.generation, 7);
  EXPECT_EQ(object.refusal, std::string("cannot be read: ") + kTrouble);
}

TEST(PolicyObjects, ReadASpecWhateverElseCannotBeRead) {
  PolicyObjects objects([] {});
  with_object(policy_text(1, kGood), [&objects](const json::Object& object) {
    objects.put_part(object, "status: nested deeper than 1,000 levels");
  });
  EXPECT_EQ(objects.all().at("p").refusal, "");
  EXPECT_TRUE(objects.all().at("p").in_force);
}

TEST(ExceptionObjects, RefuseWhatCannotBeRead) {
  ExceptionObjects objects([] {});
  with_object(part_text(1),
              [&objects](const json::Object& object) { objects.put_part(object, kTrouble); });
  const ExceptionObject& object = objects.all().at("n/p");
  EXPECT_FALSE(object.wanted);
  EXPECT_EQ(object.refusal, std::string("cannot be read: ") + kTrouble);
}

std::string numbered(std::size_t number) {
  return std::to_string(1'000'000 + number);
}

std::string numbered_policy(std::size_t number, int generation = 1) {
  return R"({"metadata":{"name":"p)" + numbered(number) + R"(","uid":"u)" + numbered(number) +
         R"(","resourceVersion":"1","generation":)" + std::to_string(generation) +
         R"(},"spec":{"rules":)" + kGood + "}}";
}

std::string numbered_exception(std::size_t number, int generation = 1) {
  return R"({"metadata":{"namespace":"n","name":"e)" + numbered(number) + R"(","uid":"u)" +
         numbered(number) + R"(","resourceVersion":"1","generation":)" +
         std::to_string(generation) +
         R"(},"spec":{"rules":["image-tag"],"owner":"o","reason":"r","expires":"2999-01-01"}})";
}

template <class Objects>
std::size_t counted(const Objects& objects) {
  std::size_t count = 0;
  for (const auto& [name, object] : objects.all()) count += object.counts() ? 1 : 0;
  return count;
}

// The last come first: the order of arrival must not matter, nor what was refused before.
template <class Objects, class Text>
void expect_the_first_to_count(Objects& objects, std::size_t limit, const char* key, Text text) {
  const auto put = [&objects](const json::Object& object) { objects.put(object); };
  const auto remove = [&objects](const json::Object& object) { objects.removed(object); };
  const auto at = [&](std::size_t number) -> const auto& {
    return objects.all().at(key + numbered(number));
  };
  objects.begin();
  for (std::size_t number = limit + 1; number > 0; --number) with_object(text(number, 1), put);
  objects.listed();
  EXPECT_TRUE(at(limit).counts());
  EXPECT_FALSE(at(limit + 1).counts());
  EXPECT_NE(at(limit + 1).refusal.find("there are more than"), std::string::npos);
  with_object(text(1, 2), put);
  EXPECT_TRUE(at(1).counts()) << "changed while there are too many";
  EXPECT_EQ(at(1).refusal, "");
  with_object(text(0, 1), put);
  EXPECT_TRUE(at(0).counts()) << "the first by name";
  EXPECT_FALSE(at(limit).counts());
  EXPECT_EQ(counted(objects), limit);
  with_object(text(1, 2), remove);
  EXPECT_TRUE(at(limit).counts());
  EXPECT_FALSE(at(limit + 1).counts());
  with_object(text(2, 1), remove);
  EXPECT_TRUE(at(limit + 1).counts()) << "there are no longer too many";
  EXPECT_EQ(at(limit + 1).refusal, "");
}

TEST(PolicyObjects, CountUpToTheLimitByName) {
  PolicyObjects objects([] {});
  expect_the_first_to_count(objects, kMaxPolicies, "p", numbered_policy);
  ExceptionObjects none([] {});
  with_object(numbered_policy(1), [&objects](const json::Object& object) { objects.put(object); });
  with_object(numbered_policy(2), [&objects](const json::Object& object) { objects.put(object); });
  EXPECT_EQ(objects.all().size(), kMaxPolicies + 2);
  EXPECT_EQ(policies_of(objects, none, {})->policies.size(), kMaxPolicies);
}

TEST(ExceptionObjects, CountUpToTheLimitByName) {
  ExceptionObjects objects([] {});
  expect_the_first_to_count(objects, kMaxExceptionObjects, "n/e", numbered_exception);
}

// While the new list comes, those that it will not name are there, too.
TEST(PolicyObjects, AllCountWhereAListReplacesAllOthers) {
  PolicyObjects objects([] {});
  const auto put = [&objects](const json::Object& object) { objects.put(object); };
  objects.begin();
  for (std::size_t number = 0; number < kMaxPolicies; ++number)
    with_object(numbered_policy(number), put);
  objects.listed();
  objects.begin();
  for (std::size_t number = 0; number < kMaxPolicies; ++number)
    with_object(numbered_policy(kMaxPolicies + number), put);
  objects.listed();
  EXPECT_EQ(objects.all().size(), kMaxPolicies);
  EXPECT_EQ(counted(objects), kMaxPolicies);
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
