#include <string>

#include <nlohmann/json.hpp>

#include "webhook/cli/check_report.h"

namespace plimsoll::webhook::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;
constexpr int kIndent = 2;

Json exception_json(const CheckedFinding& finding) {
  if (!finding.exception) return nullptr;
  const ExceptionNote& note = *finding.exception;
  return Json{{"owner", note.owner},
              {"reason", note.reason},
              {"expires", note.expires},
              {"expired", note.expired}};
}

Json finding_json(const CheckedFinding& finding) {
  Json json;
  json["rule"] = finding.rule;
  json["action"] = std::string(policy::action_word(finding.action));
  json["container"] = finding.container ? Json(*finding.container) : Json(nullptr);
  json["containerClass"] =
      finding.container_class.empty() ? Json(nullptr) : Json(finding.container_class);
  json["path"] = finding.path;
  json["line"] = finding.position.line;
  json["column"] = finding.position.column;
  json["found"] = finding.found;
  json["limit"] = finding.limit;
  json["message"] = finding.message;
  json["remedy"] = finding.remedy;
  json["policies"] = finding.policies;
  json["exception"] = exception_json(finding);
  json["existing"] = finding.existing;
  json["unknown"] = finding.unknown.empty() ? Json(nullptr) : Json(finding.unknown);
  return json;
}

Json object_json(const CheckedObject& object) {
  Json json;
  json["file"] = object.file;
  json["line"] = object.position.line;
  json["source"] = object.source.empty() ? Json(nullptr) : Json(object.source);
  json["apiVersion"] = object.api_version;
  json["kind"] = object.kind;
  json["namespace"] = object.name_space;
  json["name"] = object.name;
  json["verdict"] = std::string(policy::verdict_word(object.verdict));
  json["findings"] = Json::array();
  for (const CheckedFinding& finding : object.findings) {
    json["findings"].push_back(finding_json(finding));
  }
  json["notLookedUp"] = object.not_looked_up;
  return json;
}

}  // namespace

std::string report_as_json(const CheckReport& report) {
  Json json;
  json["schemaVersion"] = kSchemaVersion;
  json["summary"] = {{"objects", report.total()},
                     {"denied", report.denied},
                     {"warned", report.warned},
                     {"allowed", report.allowed},
                     {"skipped", report.skipped},
                     {"unreadable", report.unreadable}};
  json["objects"] = Json::array();
  for (const CheckedObject& object : report.objects) json["objects"].push_back(object_json(object));
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace plimsoll::webhook::cli
