#include "webhook/admission/review_reader.h"

#include <algorithm>

#include "webhook/admission/uid_scan.h"

namespace plimsoll::webhook::admission {
namespace {

namespace json = policy::json;
using policy::Operation;

std::string_view text_or_empty(const json::Element& element) {
  return json::as_text(element).value_or(std::string_view());
}

Operation operation_of(std::string_view word) {
  if (word == "CREATE") return Operation::kCreate;
  if (word == "UPDATE") return Operation::kUpdate;
  if (word == "DELETE") return Operation::kDelete;
  if (word == "CONNECT") return Operation::kConnect;
  return Operation::kOther;
}

void read_kind(const json::Element& element, Envelope& envelope) {
  const auto kind = json::as_object(element);
  if (!kind) return;
  for (const auto& [key, value] : *kind) {
    if (key == "group") envelope.group = text_or_empty(value);
    if (key == "kind") envelope.kind = text_or_empty(value);
  }
}

std::string_view read_user(const json::Element& element) {
  const auto user = json::as_object(element);
  const auto name = user ? json::last_member(*user, "username") : std::nullopt;
  return name ? text_or_empty(*name) : std::string_view();
}

// Members that were seen, to find those that are missing or repeated.
struct Seen {
  int uids = 0;
  bool resource = false;
};

void read_member(std::string_view key, const json::Element& value, Envelope& envelope, Seen& seen) {
  if (key == "uid") {
    ++seen.uids;
    envelope.uid = text_or_empty(value);
  } else if (key == "kind") {
    read_kind(value, envelope);
  } else if (key == "resource") {
    seen.resource = value.is_object();
  } else if (key == "subResource") {
    envelope.subresource = text_or_empty(value);
  } else if (key == "name") {
    envelope.name = text_or_empty(value);
  } else if (key == "namespace") {
    envelope.name_space = text_or_empty(value);
  } else if (key == "operation") {
    envelope.operation_word = text_or_empty(value);
    envelope.operation = operation_of(envelope.operation_word);
  } else if (key == "userInfo") {
    envelope.user = read_user(value);
  } else if (key == "object") {
    envelope.object = json::as_object(value);
    if (!envelope.object && !value.is_null()) envelope.fault = "request.object is not an object";
  } else if (key == "oldObject") {
    envelope.old_object = json::as_object(value);
    envelope.old_unreadable = !envelope.old_object && !value.is_null();
  } else if (key == "dryRun") {
    envelope.dry_run = json::as_flag(value).value_or(false);
  }
}

bool is_uid(std::string_view uid) {
  return !uid.empty() && uid.size() <= kMaxUidBytes &&
         std::ranges::all_of(uid, [](char c) { return c > 0x20 && c < 0x7F; });
}

std::expected<void, NotAReview> read_request(const json::Object& request, Envelope& envelope) {
  Seen seen;
  for (const auto& [key, value] : request) read_member(key, value, envelope, seen);
  if (seen.uids > 1) return std::unexpected("request.uid is there more than once");
  if (!is_uid(envelope.uid)) {
    return std::unexpected("request.uid is not a text of 1 to 253 printable characters");
  }
  if (envelope.operation_word.empty()) envelope.fault = "request.operation is missing";
  if (envelope.kind.empty()) envelope.fault = "request.kind is missing";
  if (!seen.resource) envelope.fault = "request.resource is missing";
  return {};
}

}  // namespace

std::expected<Envelope, NotAReview> read_envelope(const json::Element& root) {
  const auto review = json::as_object(root);
  if (!review) return std::unexpected("the body is not an object");
  Envelope envelope;
  std::string_view kind;
  int requests = 0;
  std::optional<json::Object> request;
  for (const auto& [key, value] : *review) {
    if (key == "apiVersion") envelope.api_version = text_or_empty(value);
    if (key == "kind") kind = text_or_empty(value);
    if (key != "request") continue;
    ++requests;
    request = json::as_object(value);
  }
  if (kind != "AdmissionReview") return std::unexpected("the kind is not AdmissionReview");
  if (envelope.api_version != "admission.k8s.io/v1" &&
      envelope.api_version != "admission.k8s.io/v1beta1") {
    return std::unexpected("the apiVersion is neither admission.k8s.io/v1 nor v1beta1");
  }
  if (requests > 1) return std::unexpected("request is there more than once");
  if (!request) return std::unexpected("request is missing");
  const auto read = read_request(*request, envelope);
  if (!read) return std::unexpected(read.error());
  return envelope;
}

bool has_old_spec(const Envelope& envelope) {
  const bool both = envelope.object && envelope.old_object;
  if (envelope.operation != policy::Operation::kUpdate || !both) return false;
  for (const std::string_view key : {"spec", "template"}) {
    const auto spec = json::last_member(*envelope.object, key);
    const auto old = json::last_member(*envelope.old_object, key);
    if (spec.has_value() != old.has_value()) return false;
    if (spec && simdjson::minify(*spec) != simdjson::minify(*old)) return false;
  }
  return true;
}

}  // namespace plimsoll::webhook::admission
