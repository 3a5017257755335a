#include "webhook/controller/status_text.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::controller {
namespace {

using policy_sources::kMaxPolicies;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

Json policy(std::size_t number) {
  const std::string name = "p" + std::to_string(10'000 + number);
  return {{"metadata", {{"name", name}, {"uid", name}, {"generation", 1}}},
          {"spec", {{"rules", {{"image-tag", {{"action", "warn"}}}}}}}};
}

template <class Objects>
void put(Objects& objects, const Json& object, const std::string& trouble = "") {
  policy::json::Parser parser;
  policy::json::Element root;
  const simdjson::padded_string text(object.dump());
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS);
  objects.put_part(*policy::json::as_object(root), trouble);
}

TEST(StatusOf, SaysWhatDoesNotCount) {
  policy_sources::PolicyObjects policies([] {});
  policy_sources::ExceptionObjects exceptions([] {});
  policies.begin();
  for (std::size_t number = 0; number <= kMaxPolicies; ++number) put(policies, policy(number));
  policies.listed();
  const Json first = Json::parse(status_of(policies.all().begin()->second, exceptions, {}));
  EXPECT_EQ(first["conditions"][0]["status"], "True");
  const Json last = Json::parse(status_of(policies.all().rbegin()->second, exceptions, {}));
  EXPECT_EQ(last["conditions"][0]["status"], "False");
  EXPECT_EQ(last["rules"], 0);
  const std::string message = last["conditions"][0]["message"];
  EXPECT_THAT(message, HasSubstr("more than 2048 policies"));
  EXPECT_THAT(message, Not(HasSubstr("stays in force")));
}

TEST(StatusOf, SaysWhatCannotBeReadAndWhatIsInForce) {
  policy_sources::PolicyObjects policies([] {});
  policy_sources::ExceptionObjects exceptions([] {});
  put(policies, policy(1));
  Json unread = policy(1);
  unread.erase("spec");
  unread["metadata"]["generation"] = 2;
  put(policies, unread, "spec.x: a number that is too large");
  const Json status = Json::parse(status_of(policies.all().begin()->second, exceptions, {}));
  EXPECT_EQ(status["conditions"][0]["status"], "False");
  EXPECT_EQ(status["conditions"][0]["message"],
            "cannot be read: spec.x: a number that is too large; the spec of generation 1 stays in "
            "force");
  EXPECT_EQ(status["inForce"]["generation"], 1);
}

}  // namespace
}  // namespace plimsoll::webhook::controller
