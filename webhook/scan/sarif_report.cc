#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "webhook/scan/report_json.h"

namespace plimsoll::webhook::scan {
namespace {

using policy::Severity;

enum class Subject : std::uint8_t { kVulnerability, kSecret, kOther };

// What a rule says of the results that name it.
struct Rule {
  std::string id;
  Severity severity = Severity::kUnknown;
  Subject subject = Subject::kVulnerability;
  std::string help;
};

// The rest of the line that begins with `label`: "Severity: HIGH", "Package: openssl".
std::string line_value(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(label)) continue;
    line.remove_prefix(label.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
  }
  return "";
}

std::string text_of_message(const json::Object& object, std::string_view key) {
  const auto message = object_in(object, key);
  return message ? text_in(*message, "text") : "";
}

// "9.8" or 9.8; nothing where it is no score: 0.0 stands for a score that is not known.
Severity severity_of_score(const json::Object& properties) {
  const auto member = json::last_member(properties, "security-severity");
  if (!member) return Severity::kUnknown;
  double score = 0;
  if (const auto text = json::as_text(*member)) {
    const auto read = std::from_chars(text->data(), text->data() + text->size(), score);
    if (read.ec != std::errc()) return Severity::kUnknown;
  } else if (member->get_double().get(score) != simdjson::SUCCESS) {
    return Severity::kUnknown;
  }
  return policy::severity_of_score(score);
}

Rule read_rule(const json::Object& object) {
  Rule rule;
  rule.id = text_in(object, "id");
  rule.help = text_of_message(object, "help");
  if (const auto properties = object_in(object, "properties")) {
    rule.severity = severity_of_score(*properties);
    for (const std::string_view tag : texts_in(*properties, "tags")) {
      if (rule.severity == Severity::kUnknown) rule.severity = policy::severity_of(tag);
      if (tag == "secret") rule.subject = Subject::kSecret;
      if (tag == "misconfiguration" || tag == "license") rule.subject = Subject::kOther;
    }
  }
  if (rule.severity == Severity::kUnknown) {
    rule.severity = policy::severity_of(line_value(rule.help, "Severity:"));
  }
  return rule;
}

// As Trivy writes them; as Grype does, which puts a layer's digest behind what the user has asked
// for: "app@sha256:<image>@sha256:<layer>:/lib/apk/db/installed".
void read_subject(const json::Object& run,
                  const std::vector<json::Object>& results,
                  ReportItem& item) {
  if (const auto properties = object_in(run, "properties")) {
    for (const std::string_view digest : texts_in(*properties, "repoDigests")) {
      add_digest(item.digests, digest);
    }
    add_digest(item.digests, text_in(*properties, "imageName"));
    add_digest(item.config_digests, text_in(*properties, "imageID"));
  }
  for (const json::Object& result : results) {
    const auto locations = objects_in(result, "locations");
    if (!locations) continue;
    for (const json::Object& location : *locations) {
      const auto names = objects_in(location, "logicalLocations");
      if (!names) continue;
      for (const json::Object& name : *names) {
        const std::string whole = text_in(name, "fullyQualifiedName");
        const std::size_t at = whole.rfind("@sha256:");
        if (at != std::string::npos) add_digest(item.digests, whole.substr(0, at));
      }
    }
  }
}

// Of several runs the oldest.
void read_invocations(const json::Object& run, policy::ScanVerdict& verdict) {
  const auto invocations = objects_in(run, "invocations");
  if (!invocations) return;
  for (const json::Object& invocation : *invocations) {
    auto time = time_in(invocation, "endTimeUtc");
    if (!time) time = time_in(invocation, "startTimeUtc");
    const auto& known = verdict.scanned_at;
    if (time) verdict.scanned_at = known ? std::min(*known, *time) : *time;
    const auto member = json::last_member(invocation, "executionSuccessful");
    const bool successful = !member || json::as_flag(*member).value_or(true);
    if (!successful) verdict.state = policy::ScanState::kFailed;
  }
}

std::expected<std::vector<Rule>, std::string> read_rules(const json::Object& run,
                                                         policy::ScanVerdict& verdict) {
  std::vector<Rule> rules;
  const auto tool = object_in(run, "tool");
  const auto driver = tool ? object_in(*tool, "driver") : std::nullopt;
  if (!driver) return rules;
  verdict.scanner = text_in(*driver, "name") + " " + text_in(*driver, "version");
  const auto objects = objects_in(*driver, "rules");
  if (!objects) return std::unexpected(objects.error());
  for (const json::Object& object : *objects) rules.push_back(read_rule(object));
  return rules;
}

// SARIF 2.1.0, 3.27.5 and 3.27.6: by id, or else by the index in the driver's rules.
const Rule* rule_of(const json::Object& result,
                    const std::vector<Rule>& rules,
                    const std::map<std::string, std::size_t>& by_id) {
  const std::string id = text_in(result, "ruleId");
  const auto known = by_id.find(id);
  if (!id.empty()) return known == by_id.end() ? nullptr : &rules[known->second];
  const auto index = count_in(result, "ruleIndex");
  return index && *index < rules.size() ? &rules[*index] : nullptr;
}

policy::Vulnerability read_vulnerability(const json::Object& result, const Rule* rule) {
  const std::string message = text_of_message(result, "message");
  const std::string help = rule != nullptr ? rule->help : "";
  policy::Vulnerability found;
  found.id = rule != nullptr ? rule->id : text_in(result, "ruleId");
  found.severity = rule != nullptr ? rule->severity : Severity::kUnknown;
  if (found.severity == Severity::kUnknown) {
    found.severity = policy::severity_of(line_value(message, "Severity:"));
  }
  found.package = line_value(message, "Package:");
  found.installed = line_value(message, "Installed Version:");
  // Grype's rules are one a package: "CVE-2024-0727-libcrypto3".
  const std::string bare = line_value(help, "Vulnerability ");
  if (found.package.empty() && !bare.empty() && found.id.starts_with(bare + "-")) {
    found.package = line_value(help, "Package:");
    found.installed = line_value(help, "Version:");
    found.id = bare;
  }
  if (found.package.empty()) found.package = message;
  return found;
}

// docs.oasis-open.org/sarif/sarif/v2.1.0, 3.14. Without `results` nothing was scanned (3.14.23).
std::string read_run(const json::Object& run, Tally& tally, ReportItem& item) {
  const auto results = objects_in(run, "results");
  if (!results) return results.error();
  if (!array_in(run, "results")) return "it has no results, so nothing was scanned";
  read_subject(run, *results, item);
  read_invocations(run, item.verdict);
  const auto rules = read_rules(run, item.verdict);
  if (!rules) return rules.error();
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < rules->size(); ++i) by_id.emplace((*rules)[i].id, i);
  for (const json::Object& result : *results) {
    const std::string kind = text_in(result, "kind");
    if (kind == "pass" || kind == "notApplicable") continue;
    const Rule* rule = rule_of(result, *rules, by_id);
    const Subject subject = rule != nullptr ? rule->subject : Subject::kVulnerability;
    if (subject == Subject::kVulnerability) tally.add(read_vulnerability(result, rule));
    if (subject == Subject::kSecret) item.verdict.secrets = item.verdict.secrets.value_or(0) + 1;
  }
  return "";
}

}  // namespace

ReadItems read_sarif(const json::Object& root) {
  ReportItem item;
  Tally tally(false);
  const auto runs = objects_in(root, "runs");
  if (!runs) return std::unexpected(runs.error());
  if (runs->empty()) return std::unexpected("it has no runs, so nothing was scanned");
  for (std::size_t i = 0; i < runs->size(); ++i) {
    const std::string problem = read_run((*runs)[i], tally, item);
    if (!problem.empty()) return std::unexpected("runs[" + std::to_string(i) + "]: " + problem);
  }
  tally.finish(item.verdict);
  std::vector<ReportItem> items;
  items.push_back(std::move(item));
  return items;
}

}  // namespace plimsoll::webhook::scan
