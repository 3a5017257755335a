#include "webhook/registry/refusal.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "policy/ascii.h"
#include "policy/json.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using net::FetchFault;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::size_t kMaxErrorBytes = 64 * 1024;
constexpr std::size_t kMaxCodeBytes = 64;
constexpr std::chrono::seconds kMostRetryAfter{3'600};

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes && std::ranges::all_of(text, [](char c) {
    return policy::is_upper(c) || policy::is_digit(c) || c == '_';
  });
}

// {"errors": [{"code": "MANIFEST_UNKNOWN", ...}]}; empty where it is anything else.
std::string error_code(std::string_view body) {
  if (body.empty() || body.size() > kMaxErrorBytes) return "";
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string text(body);
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return "";
  const auto object = json::as_object(root);
  const auto errors = object ? json::last_member(*object, "errors") : std::nullopt;
  const auto list = errors ? json::as_array(*errors) : std::nullopt;
  if (!list || list->size() == 0) return "";
  const auto first = json::as_object(*list->begin());
  const auto code = first ? json::last_member(*first, "code") : std::nullopt;
  const auto word = code ? json::as_text(*code) : std::nullopt;
  return word && is_code(*word) ? std::string(*word) : "";
}

UnknownReason reason_of(unsigned status) {
  switch (status) {
    case 401:
      return UnknownReason::kUnauthorized;
    case 403:
    case 416:
    case 451:
      return UnknownReason::kForbidden;
    case 404:
      return UnknownReason::kNotFound;
    case 412:
      return UnknownReason::kRegistryVeto;
    case 429:
      return UnknownReason::kRateLimited;
    default:
      return UnknownReason::kRegistryError;
  }
}

}  // namespace

Unknown unknown_of(const net::FetchError& error) {
  switch (error.fault) {
    case FetchFault::kDns:
      return {UnknownReason::kDns, error.detail};
    case FetchFault::kConnect:
      return {UnknownReason::kConnect, error.detail};
    case FetchFault::kTls:
    case FetchFault::kWantsCertificate:
      return {UnknownReason::kTls, error.detail};
    case FetchFault::kTimeout:
      return {UnknownReason::kTimeout, error.detail};
    case FetchFault::kAddressBlocked:
      return {UnknownReason::kAddressBlocked, error.detail};
    case FetchFault::kTooLarge:
      return {UnknownReason::kTooLarge, error.detail};
    case FetchFault::kNotAllowed:
      return {UnknownReason::kFetchNotAllowed, error.detail};
    case FetchFault::kBreaker:
      return {UnknownReason::kBreakerOpen, error.detail};
    case FetchFault::kRateLimited:
      return {UnknownReason::kRateLimited, error.detail};
    case FetchFault::kOverloaded:
      return {UnknownReason::kOverloaded, error.detail};
    case FetchFault::kBroken:
    case FetchFault::kStopped:
      return {UnknownReason::kRegistryError, error.detail};
  }
  return {UnknownReason::kRegistryError, error.detail};
}

Unknown unknown_of(const net::FetchAnswer& answer) {
  std::string detail = "status " + std::to_string(answer.status);
  const std::string code = error_code(answer.body);
  if (!code.empty()) detail += " " + code;
  return {reason_of(answer.status), std::move(detail)};
}

bool is_outage(UnknownReason reason) {
  switch (reason) {
    case UnknownReason::kDns:
    case UnknownReason::kConnect:
    case UnknownReason::kTls:
    case UnknownReason::kTimeout:
    case UnknownReason::kRegistryError:
      return true;
    default:
      return false;
  }
}

// RFC 9110 10.2.3: seconds, or a date.
std::chrono::seconds retry_after(const net::FetchAnswer& answer) {
  const std::string_view text = answer.header("retry-after");
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    std::tm parts{};
    const std::string date(text);
    const char* end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::chrono::seconds(0);
    const auto until = std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    seconds = (until - now).count();
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMostRetryAfter.count()));
}

}  // namespace plimsoll::webhook::registry
