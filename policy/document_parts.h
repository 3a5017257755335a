// What several documents have in common: the object's head, names of rules, who excepts and why.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document_reader.h"
#include "policy/exception.h"

namespace plimsoll::policy {

inline constexpr std::string_view kApiVersion = "plimsoll.dev/v1alpha1";
inline constexpr std::size_t kMaxNameBytes = 253;  // of an object in Kubernetes

// Of an object's metadata: what says something about the object.
struct ObjectMetadata {
  std::string name;
  std::string name_space;
  std::optional<std::chrono::sys_seconds> created;  // by the API server's clock
  std::int64_t generation = 0;
};

// Names are checked; what else the API server keeps there is passed over.
ObjectMetadata read_metadata(const Node& node, Problems& problems);

// A text that must be exactly that.
void read_constant(const Node& node, std::string_view wanted, Problems& problems);

// The rule of that id; a problem at the key or the value where there is none.
const Rule* known_rule(std::string_view id, const Node& node, bool at_key, Problems& problems);
std::vector<const Rule*> read_rule_ids(const Node& node, Problems& problems);

// owner, reason and expires, all required. Both outlive the fields.
void add_reason_fields(Exception& exception, std::vector<Field>& fields, Problems& problems);

}  // namespace plimsoll::policy
