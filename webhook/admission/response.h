// Writes the AdmissionReview that answers another (admission.k8s.io/v1, v1beta1). Never a patch.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decision.h"

namespace plimsoll::webhook::admission {

inline constexpr std::size_t kMaxAnnotationBytes = 1024;

struct Annotation {
  std::string_view key;  // a constant: at most 63 characters, no slash
  std::string value;
};

struct Cause {
  std::string reason;  // a rule's id
  std::string message;
  std::string field;  // "spec.template.spec.containers[0].image"
};

struct Response {
  std::string_view api_version;  // of the review that is answered
  std::string_view uid;
  bool allowed = true;
  // Of a denial: an HTTP status between 400 and 599, a metav1.StatusReason, what the person reads.
  unsigned code = 403;
  std::string_view reason = "Forbidden";
  std::string message;
  std::vector<Cause> causes;
  std::vector<std::string> warnings;
  std::vector<Annotation> annotations;
};

// Replaces `out`.
void write_response(const Response& response, std::string& out);

// What a decision becomes. `revision` names the policies that were in force.
Response response_of(const policy::Decision& decision,
                     policy::Mode mode,
                     std::string_view revision);

// The first finding of each rule, in the order of the findings: the one with the greatest action.
std::vector<const policy::JudgedFinding*> first_of_each_rule(const policy::Decision& decision);

}  // namespace plimsoll::webhook::admission
