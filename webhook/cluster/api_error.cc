#include "webhook/cluster/api_error.h"

#include <algorithm>

#include "policy/printable.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace json = policy::json;

constexpr std::size_t kMaxMessageRunes = 512;
constexpr std::chrono::seconds kLongestPause{60};

std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member ? json::as_object(*member) : std::nullopt;
}

std::string text_at(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return policy::printable(text.value_or(""), kMaxMessageRunes);
}

void read_details(const json::Object& details, ApiError& error) {
  const auto pause = json::last_member(details, "retryAfterSeconds");
  const auto seconds = pause ? json::as_integer(*pause) : std::nullopt;
  if (seconds && *seconds > 0) {
    error.retry_after = std::min(std::chrono::seconds(*seconds), kLongestPause);
  }
  const auto causes = json::last_member(details, "causes");
  const auto list = causes ? json::as_array(*causes) : std::nullopt;
  if (!list) return;
  for (const json::Element element : *list) {
    const auto cause = json::as_object(element);
    if (cause && text_at(*cause, "reason") == "ResourceVersionTooLarge") {
      error.version_too_large = true;
    }
  }
}

}  // namespace

std::string ApiError::text() const {
  if (code == 0) return "no answer: " + message;
  std::string text = std::to_string(code);
  if (!reason.empty()) text += " " + reason;
  if (!message.empty()) text += ": " + message;
  return text;
}

ApiError error_of(const json::Object& status) {
  ApiError error;
  const auto code = json::last_member(status, "code");
  const auto number = code ? json::as_integer(*code) : std::nullopt;
  error.code = number && *number >= 400 && *number < 600 ? static_cast<unsigned>(*number) : 500;
  error.reason = text_at(status, "reason");
  error.message = text_at(status, "message");
  if (const auto details = object_at(status, "details")) read_details(*details, error);
  return error;
}

ApiError error_of(unsigned status, std::string_view body) {
  ApiError error;
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(body);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  if (object) error = error_of(*object);
  error.code = status;
  if (error.message.empty()) error.message = "it gave no reason";
  return error;
}

ApiError error_of(const net::FetchError& error) {
  ApiError made;
  made.reason = "NoAnswer";
  made.wants_certificate = error.fault == net::FetchFault::kWantsCertificate;
  made.message = error.detail.empty() ? "the connection failed" : error.detail;
  return made;
}

}  // namespace plimsoll::webhook::cluster
