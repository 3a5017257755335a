#include "webhook/cli/crd_page.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "webhook/cli/crd_spec.h"
#include "webhook/cli/crd_status.h"
#include "webhook/cli/crd_yaml.h"

namespace plimsoll::webhook::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kGroup = "plimsoll.dev";
constexpr std::string_view kVersion = "v1alpha1";
constexpr std::string_view kAccepted = R"(.status.conditions[?(@.type=="Accepted")])";

struct Names {
  std::string_view kind;
  std::string_view singular;
  std::string_view plural;
  std::string_view short_name;
  std::string_view scope;
};

Json column(std::string_view name,
            std::string_view type,
            std::string_view path,
            std::string_view description) {
  return {{"name", name}, {"type", type}, {"jsonPath", path}, {"description", description}};
}

// Shown by `kubectl get -o wide` alone.
Json wide(Json column) {
  column["priority"] = 1;
  return column;
}

Json accepted_column(std::string_view description) {
  return column("Accepted", "string", fmt::format("{}.status", kAccepted), description);
}

Json age_column() {
  return column("Age", "date", ".metadata.creationTimestamp", "Since its creation.");
}

Json schema_of(std::string_view description, Json spec, Json status) {
  return {{"description", description},
          {"type", "object"},
          {"properties", {{"spec", std::move(spec)}, {"status", std::move(status)}}},
          {"required", Json::array({"spec"})}};
}

std::string definition(const Names& names, Json columns, Json schema) {
  Json version = {{"name", kVersion},
                  {"served", true},
                  {"storage", true},
                  {"subresources", {{"status", Json::object()}}},
                  {"additionalPrinterColumns", std::move(columns)},
                  {"schema", {{"openAPIV3Schema", std::move(schema)}}}};
  const Json crd = {{"apiVersion", "apiextensions.k8s.io/v1"},
                    {"kind", "CustomResourceDefinition"},
                    {"metadata", {{"name", fmt::format("{}.{}", names.plural, kGroup)}}},
                    {"spec",
                     {{"group", kGroup},
                      {"scope", names.scope},
                      {"names",
                       {{"kind", names.kind},
                        {"listKind", fmt::format("{}List", names.kind)},
                        {"plural", names.plural},
                        {"singular", names.singular},
                        {"shortNames", Json::array({names.short_name})},
                        {"categories", Json::array({"plimsoll"})}}},
                      {"versions", Json::array({std::move(version)})}}}};
  return fmt::format(
             "# Made by `plimsoll policy crds {}`. Change the declarations, not this file.\n",
             names.singular) +
         yaml_text(crd);
}

}  // namespace

std::string policy_crd() {
  const Names names = {"HygienePolicy", "hygienepolicy", "hygienepolicies", "hyp", "Cluster"};
  Json columns = {
      accepted_column("Whether the spec is in force."),
      column("Rules", "integer", ".status.rules", "How many rules are on."),
      column("Exceptions", "integer", ".status.exceptions", "How many apply."),
      column("Expiring", "integer", ".status.expiring", "Of them, within 14 days."),
      wide(column(
          "Reason", "string", fmt::format("{}.reason", kAccepted), "Why it was accepted or not.")),
      age_column()};
  return definition(
      names,
      std::move(columns),
      schema_of("Which rules workloads must keep, where, and what happens when one is "
                "broken.",
                policy_spec_schema(),
                policy_status_schema()));
}

std::string exception_crd() {
  const Names names = {
      "HygieneException", "hygieneexception", "hygieneexceptions", "hyx", "Namespaced"};
  Json columns = {accepted_column("Whether a policy accepts it."),
                  column("Owner", "string", ".spec.owner", "Who answers for it."),
                  column("Expires", "string", ".spec.expires", "The last day on which it holds."),
                  wide(column("Rules", "string", ".spec.rules", "The rules that it is for.")),
                  age_column()};
  return definition(
      names,
      std::move(columns),
      schema_of("What a namespace asks to be excepted from, by whom, why, and until when.",
                exception_spec_schema(),
                exception_status_schema()));
}

}  // namespace plimsoll::webhook::cli
