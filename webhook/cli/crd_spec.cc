#include "webhook/cli/crd_spec.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/rule.h"
#include "webhook/cli/crd_schema.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Rule;

constexpr std::array<std::string_view, 4> kActions = {"enforce", "warn", "audit", "off"};
constexpr std::array<std::string_view, 4> kUnknownActions = {"deny", "warn", "audit", "off"};
constexpr std::array<std::string_view, 4> kOperators = {"In", "NotIn", "Exists", "DoesNotExist"};
constexpr std::array<std::string_view, 2> kExisting = {"warn", "deny"};
constexpr std::array<std::string_view, 3> kControllerCreated = {"warn", "enforce", "skip"};

constexpr std::string_view kRuleIds =
    "Ids of rules, like image-size; `plimsoll policy rules` describes them all.";

Json requirement_schema() {
  return object_schema(
      "One condition on a label.",
      {{"key", text_schema("The label's key."), true},
       {"operator",
        word_schema("In and NotIn compare with the values, Exists and DoesNotExist "
                    "ask for the key alone.",
                    kOperators),
        true},
       {"values", texts_schema("For In and NotIn alone.")}});
}

Json selector_schema(std::string_view description) {
  Json labels = text_schema("The label's value.");
  Json match_labels = Json::object({{"description", "Labels and their values; all must be there."},
                                    {"type", "object"},
                                    {"additionalProperties", std::move(labels)}});
  Json schema = object_schema(
      description,
      {{"matchLabels", std::move(match_labels)},
       {"matchExpressions", list_schema("Conditions that must all hold.", requirement_schema())}});
  schema["x-kubernetes-map-type"] = "atomic";
  return schema;
}

Json kinds_schema() {
  return texts_schema("Kind or group/Kind, like Deployment or apps/StatefulSet.");
}

Json names_schema() {
  return texts_schema(
      "Patterns of the object's name, or of its generateName where it has no name yet: * and ? "
      "are wildcards.");
}

Json images_schema() {
  return texts_schema(
      "Patterns of image references. They select containers, never the whole object; a rule about "
      "the pod as a whole applies if at least one container is selected.");
}

Json match_schema(std::string_view description) {
  return object_schema(
      description,
      {{"namespaces", texts_schema("Patterns of the namespace: * and ? are wildcards.")},
       {"namespaceSelector", selector_schema("Selects by the namespace's labels.")},
       {"kinds", kinds_schema()},
       {"names", names_schema()},
       {"labelSelector", selector_schema("Selects by the object's labels.")},
       {"images", images_schema()}});
}

Json on_unknown_schema(std::string_view description) {
  const auto field = [](std::string_view text) {
    return word_or_off_schema(text, kUnknownActions);
  };
  return object_schema(
      description,
      {{"definite",
        field("Asking again would not help, like a digest that differs. Default: deny.")},
       {"access", field("Plimsoll may not or cannot read it, a node perhaps can. Default: warn.")},
       {"outage", field("Nobody answered as they should. Default: warn.")},
       {"scan", field("There is no scan report that counts. Default: warn.")}});
}

Json rule_schema(const Rule& rule) {
  std::vector<SchemaField> fields = {
      {"action",
       word_or_off_schema("enforce: refused; warn: admitted, the user is told; audit: admitted and "
                          "recorded; off: not looked at.",
                          kActions),
       true},
      {"onUnknown",
       on_unknown_schema(
           "What an unknown fact about an image means for this rule; the policy's own "
           "onUnknown does not count for it, and what is left out has its default.")}};
  for (const policy::Parameter& parameter : rule.parameters) {
    fields.push_back({parameter.name, parameter_schema(parameter)});
  }
  return object_schema(fmt::format("{}. {} Fix: {}.", rule.title, rule.why, rule.remedy), fields);
}

Json rules_schema() {
  std::vector<SchemaField> fields;
  for (const Rule* rule : policy::all_rules()) fields.push_back({rule->id, rule_schema(*rule)});
  return object_schema(
      "The rules that the policy wants, by id, each with an action and, where it likes, with "
      "parameters. A rule that is not named is off. Where a parameter may be none, write the "
      "word: kubectl apply drops null.",
      fields);
}

Json owner_schema() {
  return text_schema("Who answers for it.");
}

Json reason_schema() {
  return text_schema("Why it is needed, and what will end it.");
}

Json expires_schema() {
  return day_schema(
      "The last day on which it holds, UTC, written like 2027-01-31. Later it no longer applies, "
      "and is itself reported.");
}

Json policy_exceptions_schema() {
  Json entry = object_schema("One exception.",
                             {{"rules", texts_schema(kRuleIds), true},
                              {"match",
                               match_schema("Which objects; at least one field. With images it "
                                            "covers findings about such containers only."),
                               true},
                              {"owner", owner_schema(), true},
                              {"reason", reason_schema(), true},
                              {"expires", expires_schema(), true}});
  return list_schema("Who may break which rule of this policy, why, and until when.",
                     std::move(entry));
}

Json namespace_exceptions_schema() {
  return object_schema(
      "Which rules HygieneException objects of namespaces may except from this policy, and for how "
      "long at most, counted from the creation of the exception. Left out: none.",
      {{"rules", texts_schema(kRuleIds), true},
       {"longest",
        text_schema("From the creation of the exception to its end, like 90d or 168h."),
        true},
       {"namespaces",
        texts_schema("Patterns of the namespaces that may. Left out: every namespace.")}});
}

}  // namespace

Json policy_spec_schema() {
  return object_schema(
      "What applies where, and what happens when it is broken. A key that plimsoll does not "
      "know is a mistake; it names the nearest that it does know.",
      {{"match",
        match_schema("What the policy applies to. Fields are joined by AND, values within a field "
                     "by OR. Left out: everything.")},
       {"exclude",
        list_schema("What it does not apply to; entries are joined by OR.",
                    match_schema("One exclusion; its fields are joined by AND."))},
       {"rules", rules_schema(), true},
       {"exceptions", policy_exceptions_schema()},
       {"namespaceExceptions", namespace_exceptions_schema()},
       {"existingViolations",
        word_schema("What an update means that keeps a violation which was there before: warn caps "
                    "it to a warning, deny keeps the rule's action. Default: warn.",
                    kExisting)},
       {"controllerCreated",
        word_schema(
            "What a built-in controller creates from a template that was judged before: "
            "warn caps findings to warnings, enforce judges it like anything else, skip does "
            "not look at it. Default: warn.",
            kControllerCreated)},
       {"onUnknown",
        on_unknown_schema("What an unknown fact about an image means, by the class of the reason. "
                          "It never exceeds the rule's action.")}});
}

Json exception_spec_schema() {
  return object_schema(
      "What this namespace asks to be excepted from, why, and until when. It counts where a policy "
      "allows it by namespaceExceptions.",
      {{"rules", texts_schema(kRuleIds), true},
       {"match",
        object_schema("Which objects of this namespace. Left out: all of them.",
                      {{"kinds", kinds_schema()},
                       {"names", names_schema()},
                       {"labelSelector", selector_schema("Selects by the object's labels.")},
                       {"images", images_schema()}})},
       {"policies", texts_schema("Names of the policies it is for. Left out: every policy.")},
       {"owner", owner_schema(), true},
       {"reason", reason_schema(), true},
       {"expires", expires_schema(), true}});
}

}  // namespace plimsoll::webhook::cli
