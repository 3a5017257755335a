// What the reading of one review needs: a parser and an arena, leased for the review's whole life.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "policy/arena.h"
#include "policy/json.h"

namespace plimsoll::webhook::admission {

inline constexpr std::size_t kKeptParserBytes = 1u << 20;  // a parser that grew beyond is freed

struct Workspace {
  policy::json::Parser parser;
  std::optional<policy::Arena> arena_storage;
  policy::Arena& arena() {
    if (!arena_storage) arena_storage.emplace();
    return *arena_storage;
  }
};

// Views into a review are valid as long as the lease lives. A second parse on a parser that is in
// use would overwrite the first document, so each review has one to itself; the free ones are kept
// per thread.
class WorkspaceLease {
 public:
  WorkspaceLease();
  WorkspaceLease(const WorkspaceLease&) = delete;
  WorkspaceLease& operator=(const WorkspaceLease&) = delete;
  ~WorkspaceLease();

  Workspace& operator*() { return *workspace_; }
  Workspace* operator->() { return workspace_.get(); }

 private:
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace plimsoll::webhook::admission
