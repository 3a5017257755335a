// Reads an AdmissionReview (admission.k8s.io/v1 and v1beta1) that has been parsed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "policy/arena.h"
#include "policy/json.h"
#include "policy/review.h"
#include "policy/workload_reader.h"

namespace plimsoll::webhook::admission {

// The review's envelope. Views live as long as the parsed document.
struct Envelope {
  std::string_view api_version;
  std::string_view uid;
  std::string_view group;  // of request.kind
  std::string_view kind;
  std::string_view name;
  std::string_view name_space;
  std::string_view user;
  policy::Operation operation = policy::Operation::kOther;
  std::string_view operation_word;
  std::string_view subresource;
  bool dry_run = false;
  std::optional<policy::json::Object> object;
  std::optional<policy::json::Object> old_object;
  bool old_unreadable = false;  // oldObject is neither an object nor null
  // What is wrong with a request whose uid can be read; empty: nothing.
  std::string_view fault;
};

// Why a body is no review at all: to be told by HTTP, since there is nobody to answer.
using NotAReview = std::string_view;

// An UPDATE that leaves the spec (of a PodTemplate: the template) as it was. Labels, finalizers and
// status of an object that was stored before may always change.
bool has_old_spec(const Envelope& envelope);

std::expected<Envelope, NotAReview> read_envelope(const policy::json::Element& root);

}  // namespace plimsoll::webhook::admission
