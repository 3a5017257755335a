#include "webhook/cli/crd_status.h"

#include <array>
#include <string_view>
#include <utility>

#include "webhook/cli/crd_schema.h"

namespace plimsoll::webhook::cli {
namespace {

// The limits are those of meta/v1 Condition.
constexpr int kMaxMessage = 32'768;
constexpr int kMaxReason = 1'024;
constexpr int kMaxType = 316;
constexpr std::string_view kReason = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
constexpr std::string_view kType =
    "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
constexpr std::array<std::string_view, 3> kTruth = {"True", "False", "Unknown"};

Json bounded(Json schema, int longest, std::string_view pattern) {
  schema["maxLength"] = longest;
  if (pattern.empty()) return schema;
  schema["minLength"] = 1;
  schema["pattern"] = pattern;
  return schema;
}

Json counted(std::string_view description) {
  Json schema = whole_number_schema(description);
  schema["minimum"] = 0;
  return schema;
}

Json conditions_schema(std::string_view description) {
  Json changed = text_schema("When the status last changed.");
  changed["format"] = "date-time";
  Json type = bounded(text_schema("What the condition is about."), kMaxType, kType);
  type.erase("minLength");
  Json entry = object_schema(
      "One condition.",
      {{"type", std::move(type), true},
       {"status", word_schema("Whether it holds.", kTruth), true},
       {"observedGeneration", counted("The metadata.generation that it speaks of.")},
       {"lastTransitionTime", std::move(changed), true},
       {"reason", bounded(text_schema("One word for programs."), kMaxReason, kReason), true},
       {"message", bounded(text_schema("For people."), kMaxMessage, ""), true}},
      UnknownKeys::kPruned);
  Json schema = list_schema(description, std::move(entry));
  schema["x-kubernetes-list-type"] = "map";
  schema["x-kubernetes-list-map-keys"] = Json::array({"type"});
  return schema;
}

Json observed_schema() {
  return counted("The metadata.generation that plimsoll has seen.");
}

}  // namespace

Json policy_status_schema() {
  Json accepted = object_schema("As it was written.", {});
  return object_schema(
      "What plimsoll makes of the policy.",
      {{"observedGeneration", observed_schema()},
       {"conditions",
        conditions_schema("Accepted says whether the spec is in force, and if not, what is wrong "
                          "with it.")},
       {"inForce",
        object_schema(
            "The last spec that was accepted; it stays in force while a newer one is "
            "refused.",
            {{"generation", counted("Its metadata.generation.")}, {"spec", std::move(accepted)}},
            UnknownKeys::kPruned)},
       {"rules", counted("How many rules are on.")},
       {"exceptions", counted("How many exceptions apply.")},
       {"expiring", counted("How many of them expire within 14 days.")}},
      UnknownKeys::kPruned);
}

Json exception_status_schema() {
  return object_schema(
      "What plimsoll makes of the exception.",
      {{"observedGeneration", observed_schema()},
       {"conditions",
        conditions_schema(
            "Accepted says whether a policy accepts the exception, and if not, why.")},
       {"policies", texts_schema("Names of the policies that accept it.")}},
      UnknownKeys::kPruned);
}

}  // namespace plimsoll::webhook::cli
