// Judges one object of the command line's input, by the same engine as the server.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "policy/arena.h"
#include "policy/engine.h"
#include "policy/policy_set.h"
#include "webhook/cli/check_input.h"
#include "webhook/cli/check_report.h"
#include "webhook/cli/image_source.h"

namespace plimsoll::webhook::cli {

class ObjectJudge {
 public:
  // What is passed by reference outlives this. `default_namespace` is that of objects that name
  // none. Without `images` nothing is looked up.
  ObjectJudge(const policy::PolicySet& policies,
              const NamespaceLabels& namespaces,
              policy::Mode mode,
              std::string default_namespace,
              ImageSource* images);

  enum class Refusal { kNoPods, kNoKind, kTooLarge, kNamespaceUnknown };
  struct Refused {
    Refusal refusal = Refusal::kNoPods;
    std::string message;
  };

  // As a CREATE by nobody in particular.
  std::expected<CheckedObject, Refused> judge(const InputObject& input,
                                              std::chrono::sys_seconds now);

 private:
  policy::Decision decide(const policy::Review& review, std::chrono::sys_seconds now);

  const policy::PolicySet& policies_;
  const NamespaceLabels& namespaces_;
  bool needs_namespaces_;
  policy::EvaluationOptions options_;
  std::string default_namespace_;
  ImageSource* images_;
  policy::Arena arena_;
};

}  // namespace plimsoll::webhook::cli
