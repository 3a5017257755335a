// A workload read from JSON text, together with everything that its views point into.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy/arena.h"
#include "policy/json.h"
#include "policy/workload_reader.h"

namespace plimsoll::tests {

class ParsedWorkload {
 public:
  explicit ParsedWorkload(std::string_view json_text) : text_(json_text) {
    policy::json::Element root;
    const auto error = parser_.parse(text_).get(root);
    EXPECT_EQ(error, simdjson::SUCCESS) << simdjson::error_message(error);
    if (error) return;
    const auto object = policy::json::as_object(root);
    EXPECT_TRUE(object);
    if (!object) return;
    const policy::ObjectName name = policy::read_object_name(*object);
    const policy::WorkloadKind* kind = policy::find_workload_kind(name.api_version, name.kind);
    EXPECT_NE(kind, nullptr) << name.api_version << " " << name.kind;
    if (kind == nullptr) return;
    result_ = policy::read_workload(*kind, *object, arena_);
  }

  const policy::Result<policy::Workload>& result() const { return result_; }
  const policy::Workload& operator*() const { return *result_; }
  const policy::Workload* operator->() const { return &*result_; }
  const policy::Workload* get() const { return &*result_; }

 private:
  std::string text_;
  policy::json::Parser parser_;
  policy::Arena arena_;
  policy::Result<policy::Workload> result_ =
      std::unexpected(policy::Error{policy::ErrorKind::kInternal, "not read"});
};

}  // namespace plimsoll::tests
