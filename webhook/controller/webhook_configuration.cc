#include "webhook/controller/webhook_configuration.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "policy/printable.h"
#include "webhook/documents/document.h"
#include "webhook/net/base64.h"

namespace plimsoll::webhook::controller {
namespace {

using policy::Error;
using policy::ErrorKind;
using policy::Result;
using Json = nlohmann::json;

constexpr documents::DocumentLimits kLimits{.bytes = kMaxConfigurationBytes,
                                            .depth = 32,
                                            .json_bytes = 2 * kMaxConfigurationBytes,
                                            .documents = 1,
                                            .values = 50'000};
constexpr const char* kKind = "ValidatingWebhookConfiguration";

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

void set_default(Json& object, const char* key, Json value) {
  if (!object.contains(key) || object[key].is_null()) object[key] = std::move(value);
}

void drop_empty(Json& object, const char* key) {
  if (object.contains(key) && object[key].empty()) object.erase(key);
}

// The members of a LabelSelector that the API server leaves out where they are empty.
void drop_empty_members(Json& selector) {
  if (!selector.is_object()) return;
  drop_empty(selector, "matchLabels");
  if (selector.contains("matchExpressions") && selector["matchExpressions"].is_array()) {
    for (Json& expression : selector["matchExpressions"]) {
      if (expression.is_object()) drop_empty(expression, "values");
    }
  }
  drop_empty(selector, "matchExpressions");
}

// What the API server adds to an entry, and what it leaves out (admissionregistration.k8s.io/v1).
void add_defaults(Json& entry) {
  set_default(entry, "failurePolicy", "Fail");
  set_default(entry, "matchPolicy", "Equivalent");
  set_default(entry, "timeoutSeconds", 10);
  for (const char* selector : {"namespaceSelector", "objectSelector"}) {
    set_default(entry, selector, Json::object());
    drop_empty_members(entry[selector]);
  }
  drop_empty(entry, "matchConditions");
  if (entry.contains("rules") && entry["rules"].is_array()) {
    for (Json& rule : entry["rules"]) {
      if (rule.is_object()) set_default(rule, "scope", "*");
    }
  }
  if (entry.contains("clientConfig") && entry["clientConfig"].is_object()) {
    Json& client = entry["clientConfig"];
    if (client.contains("service") && client["service"].is_object()) {
      set_default(client["service"], "port", 443);
    }
  }
}

Json without_bundle(Json entry) {
  if (entry.contains("clientConfig") && entry["clientConfig"].is_object()) {
    entry["clientConfig"].erase("caBundle");
  }
  return entry;
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto at = object.find(key);
  const auto* text = at == object.end() ? nullptr : at->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

std::string bundle_of(const Json& entry) {
  const auto client = entry.find("clientConfig");
  if (client == entry.end() || !client->is_object()) return "";
  return net::decode_base64(text_at(*client, "caBundle")).value_or("");
}

// Where two entries differ first, for people.
std::string first_difference(const Json& wanted, const Json& live) {
  std::string place = "webhooks[" + policy::printable(text_at(live, "name"), 253) + "]";
  for (const auto& [key, value] : wanted.items()) {
    if (live.contains(key) && live[key] == value) continue;
    return place.append(".").append(key);
  }
  for (const auto& [key, value] : live.items()) {
    if (!wanted.contains(key)) return place.append(".").append(policy::printable(key, 64));
  }
  return place;
}

std::string difference_of(const Json& wanted, const Json& live) {
  for (std::size_t i = 0; i < wanted.size() && i < live.size(); ++i) {
    const Json bare = without_bundle(live[i]);
    if (without_bundle(wanted[i]) != bare) return first_difference(without_bundle(wanted[i]), bare);
  }
  return wanted.size() == live.size() ? "" : "webhooks";
}

std::string annotation_of(const Json& metadata, std::string_view name) {
  const auto annotations = metadata.is_object() ? metadata.find("annotations") : metadata.end();
  if (!metadata.is_object() || annotations == metadata.end()) return "";
  return text_at(*annotations, std::string(name).c_str());
}

bool is_entry_list(const Json& webhooks) {
  if (!webhooks.is_array()) return false;
  for (const Json& entry : webhooks) {
    if (!entry.is_object() || !entry.contains("clientConfig") ||
        !entry["clientConfig"].is_object()) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<WantedConfiguration> WantedConfiguration::parse(std::string_view name,
                                                       std::string_view text) {
  const documents::DocumentStream stream = documents::read_documents(text, kLimits);
  const std::string file(name);
  if (!stream.problems.empty()) {
    const documents::DocumentProblem& first = stream.problems.front();
    return wrong(file + ":" + std::to_string(first.position.line) + ": " + first.message);
  }
  if (stream.documents.empty()) return wrong(file + ": it is empty");
  const Json object = Json::parse(stream.documents.front().json, nullptr, false);
  if (!object.is_object() || text_at(object, "kind") != kKind) {
    return wrong(file + ": the kind must be " + kKind);
  }
  const Json metadata = object.value("metadata", Json::object());
  WantedConfiguration wanted;
  wanted.name_ = metadata.is_object() ? text_at(metadata, "name") : "";
  if (wanted.name_.empty()) return wrong(file + ": metadata.name is missing");
  wanted.revision_ = annotation_of(metadata, kRevisionAnnotation);
  Json webhooks = object.value("webhooks", Json());
  if (!is_entry_list(webhooks) || webhooks.empty()) {
    return wrong(file + ": webhooks must be a list of entries with a clientConfig");
  }
  for (Json& entry : webhooks) {
    entry = without_bundle(std::move(entry));
    add_defaults(entry);
  }
  wanted.webhooks_ = webhooks.dump();
  return wanted;
}

WantedConfiguration WantedConfiguration::bundle_only(std::string name) {
  WantedConfiguration wanted;
  wanted.name_ = std::move(name);
  return wanted;
}

Result<Comparison> Comparison::of(const WantedConfiguration& wanted,
                                  std::string_view live,
                                  const std::optional<std::string>& bundle) {
  const Json object = Json::parse(live, nullptr, false);
  const Json metadata = object.is_object() ? object.value("metadata", Json::object()) : Json();
  Json webhooks = object.is_object() ? object.value("webhooks", Json::array()) : Json();
  if (!metadata.is_object() || !is_entry_list(webhooks)) {
    return wrong("the webhook configuration cannot be read");
  }
  Comparison comparison;
  comparison.is_unmanaged = annotation_of(metadata, kUnmanagedAnnotation) == "true";
  // An annotation that is gone is a change like others, and no way out of them.
  const std::string revision = annotation_of(metadata, kRevisionAnnotation);
  comparison.is_other_revision =
      !wanted.revision_.empty() && !revision.empty() && revision != wanted.revision_;
  for (Json& entry : webhooks) {
    add_defaults(entry);
    comparison.trusted.push_back(bundle_of(entry));
  }
  const bool any_entries = wanted.webhooks_.empty() || comparison.is_other_revision;
  Json target = any_entries ? webhooks : Json::parse(wanted.webhooks_);
  comparison.what = difference_of(target, webhooks);
  comparison.differs = !comparison.what.empty();
  const std::string encoded = bundle ? net::encode_base64(*bundle) : "";
  for (std::size_t i = 0; i < target.size(); ++i) {
    const std::string now =
        i < webhooks.size() ? text_at(webhooks[i]["clientConfig"], "caBundle") : "";
    const std::string& wished = bundle ? encoded : now;
    comparison.bundle_differs = comparison.bundle_differs || wished != now;
    if (!wished.empty()) target[i]["clientConfig"]["caBundle"] = wished;
  }
  if (comparison.is_unmanaged || (!comparison.differs && !comparison.bundle_differs)) {
    return comparison;
  }
  const Json patch = {{"metadata", {{"resourceVersion", text_at(metadata, "resourceVersion")}}},
                      {"webhooks", std::move(target)}};
  comparison.patch = patch.dump();
  return comparison;
}

}  // namespace plimsoll::webhook::controller
