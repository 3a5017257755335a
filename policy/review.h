// What is asked: one object, and the circumstances a policy may consider.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policy/workload.h"

namespace plimsoll::policy {

enum class Operation : std::uint8_t { kCreate, kUpdate, kDelete, kConnect, kOther };

struct Review {
  Operation operation = Operation::kCreate;
  std::string_view subresource;  // "ephemeralcontainers"; empty: the object itself
  std::string_view user;         // userInfo.username; empty on the command line
  std::string_view name_space;   // of the request; on the command line of the object or of -n
  // The labels of that namespace; nothing where they are not known.
  std::optional<std::span<const Label>> namespace_labels;
  // They should be known and could not be learnt: policies that select namespaces by labels apply
  // as if they did select this one, with at most the action that their onUnknown has for outages.
  bool namespace_labels_failed = false;
  const Workload* object = nullptr;  // never null when judged
  const Workload* old_object =
      nullptr;  // UPDATE only; null where there is none or it is unreadable
  bool old_unreadable = false;
  bool dry_run = false;
};

}  // namespace plimsoll::policy
