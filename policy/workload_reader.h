// Reads an object into a Workload: one pass, no recursion, as far as the input allows.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "policy/arena.h"
#include "policy/json.h"
#include "policy/result.h"
#include "policy/workload.h"

namespace plimsoll::policy {

inline constexpr std::size_t kMaxContainers = 1024;  // containers and image volumes of one object
inline constexpr std::size_t kMaxEntries = 16384;    // labels, variables, ports, ... of one object
inline constexpr std::size_t kMaxMalformed = 32;     // notes kept of one object

// Where the pod template of a kind is, as one row of the table of kinds.
struct WorkloadKind {
  std::string_view group;  // "" is the core group
  std::string_view kind;
  std::string_view template_pointer;  // "" for a Pod
  bool built_in = true;               // found by kind alone where the apiVersion is wrong
  bool is_job = false;
  bool has_replicas = false;
};

std::span<const WorkloadKind> workload_kinds();

// The row for this object; nullptr where the kind bears no pods that we know of. A wrong group is
// forgiven for built-in kinds only (a core Service is not a Knative Service).
const WorkloadKind* find_workload_kind(std::string_view api_version, std::string_view kind);

// The same for a group by itself.
const WorkloadKind* find_workload_kind_of_group(std::string_view group, std::string_view kind);

// The part before the slash; empty for "v1".
std::string_view group_of(std::string_view api_version);

// `object` must be of `kind`. kTooLarge: more than kMaxContainers or kMaxEntries. Nothing else
// fails: what cannot be read is noted in `malformed`. A null counts as absent.
Result<Workload> read_workload(const WorkloadKind& kind, const json::Object& object, Arena& arena);

// apiVersion, kind, metadata.namespace and metadata.name of any object; empty where absent.
struct ObjectName {
  std::string_view api_version;
  std::string_view kind;
  std::string_view name_space;
  std::string_view name;
};
ObjectName read_object_name(const json::Object& object);

// The objects of a v1 List (or of any kind that ends in List and has items), else nothing.
std::optional<json::Array> list_items(const json::Object& object);

}  // namespace plimsoll::policy
