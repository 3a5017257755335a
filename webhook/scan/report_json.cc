#include "webhook/scan/report_json.h"

#include <algorithm>
#include <utility>

#include "policy/ascii.h"
#include "policy/dates.h"

namespace plimsoll::webhook::scan {

std::string cut_text(std::string_view text) {
  constexpr unsigned kContinues = 0x80;  // UTF-8: 10xxxxxx, and the parser has checked it
  if (text.size() <= kMaxTextBytes) return std::string(text);
  std::size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == kContinues) --end;
  return std::string(text.substr(0, end));
}

std::string text_in(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return cut_text(text.value_or(""));
}

std::optional<json::Object> object_in(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member ? json::as_object(*member) : std::nullopt;
}

std::optional<json::Array> array_in(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member ? json::as_array(*member) : std::nullopt;
}

std::optional<std::uint64_t> count_in(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto number = member ? json::as_integer(*member) : std::nullopt;
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::chrono::sys_seconds> time_in(const json::Object& object, std::string_view key) {
  return policy::parse_time(text_in(object, key));
}

bool flag_in(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member && json::as_flag(*member).value_or(false);
}

std::vector<std::string_view> texts_in(const json::Object& object, std::string_view key) {
  std::vector<std::string_view> texts;
  const auto list = array_in(object, key);
  if (!list) return texts;
  for (const json::Element element : *list) {
    if (const auto text = json::as_text(element)) texts.push_back(*text);
  }
  return texts;
}

std::expected<std::vector<json::Object>, std::string> objects_in(const json::Object& object,
                                                                 std::string_view key) {
  std::vector<json::Object> objects;
  const auto member = json::last_member(object, key);
  if (!member || member->is_null()) return objects;
  const auto list = json::as_array(*member);
  if (!list) {
    return std::unexpected(std::string(key) + " must be a list, not " +
                           std::string(json::type_name(*member)));
  }
  for (const json::Element element : *list) {
    const auto entry = json::as_object(element);
    if (!entry) {
      return std::unexpected(std::string(key) + "[" + std::to_string(objects.size()) +
                             "] must be an object, not " + std::string(json::type_name(element)));
    }
    objects.push_back(*entry);
  }
  return objects;
}

std::string digest_in(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  constexpr std::size_t kHex = 64;
  const std::size_t at = text.rfind(kPrefix);
  if (at == std::string_view::npos || (at > 0 && text[at - 1] != '@')) return "";
  const std::string_view hex = text.substr(at + kPrefix.size());
  const bool fine = hex.size() == kHex && std::ranges::all_of(hex, [](char c) {
                      return policy::is_digit(c) || (c >= 'a' && c <= 'f');
                    });
  return fine ? std::string(text.substr(at)) : "";
}

void add_digest(std::vector<std::string>& digests, std::string_view text) {
  std::string digest = digest_in(text);
  if (digest.empty() || std::ranges::find(digests, digest) != digests.end()) return;
  digests.push_back(std::move(digest));
}

void add_alias(policy::Vulnerability& vulnerability, std::string_view alias) {
  const bool known = alias.empty() || alias == vulnerability.id;
  if (known || vulnerability.aliases.size() == kMaxAliases) return;
  vulnerability.aliases.push_back(cut_text(alias));
}

void Tally::add(policy::Vulnerability vulnerability) {
  const std::string key =
      vulnerability.id + '\n' + vulnerability.package + '\n' + vulnerability.installed;
  if (!seen_.insert(key).second) return;
  policy::SeverityCount& count = counts_[static_cast<std::size_t>(vulnerability.severity)];
  ++count.total;
  if (has_fix_information_) {
    count.fixable = count.fixable.value_or(0) + (vulnerability.fixed.empty() ? 0 : 1);
  }
  kept_.push_back(std::move(vulnerability));
}

void Tally::finish(policy::ScanVerdict& verdict) {
  if (has_fix_information_) {
    for (policy::SeverityCount& count : counts_) count.fixable = count.fixable.value_or(0);
  }
  verdict.counts = counts_;
  verdict.has_fix_information = has_fix_information_;
  verdict.list_complete = kept_.size() <= policy::kMaxVulnerabilities;
  std::ranges::sort(kept_, {}, [](const policy::Vulnerability& v) {
    return std::tuple(v.severity, std::string_view(v.id), std::string_view(v.package));
  });
  if (!verdict.list_complete) kept_.resize(policy::kMaxVulnerabilities);
  verdict.vulnerabilities = std::move(kept_);
}

}  // namespace plimsoll::webhook::scan
