#include "webhook/admission/workspace.h"

#include <utility>
#include <vector>

namespace plimsoll::webhook::admission {
namespace {

constexpr std::size_t kKeptPerThread = 4;

std::vector<std::unique_ptr<Workspace>>& free_list() {
  thread_local std::vector<std::unique_ptr<Workspace>> list;
  return list;
}

}  // namespace

WorkspaceLease::WorkspaceLease() {
  auto& list = free_list();
  if (list.empty()) {
    workspace_ = std::make_unique<Workspace>();
    return;
  }
  workspace_ = std::move(list.back());
  list.pop_back();
}

WorkspaceLease::~WorkspaceLease() {
  if (workspace_->parser.capacity() > kKeptParserBytes) return;
  workspace_->arena().reset();
  auto& list = free_list();
  if (list.size() < kKeptPerThread) list.push_back(std::move(workspace_));
}

}  // namespace plimsoll::webhook::admission
