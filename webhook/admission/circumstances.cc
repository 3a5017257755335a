#include "webhook/admission/circumstances.h"

#include <atomic>
#include <memory>
#include <utility>

namespace plimsoll::webhook::admission {

bool Circumstances::look(const ClusterSources& sources,
                         const policy::PolicySet& policies,
                         const policy::Workload& object,
                         std::string_view name_space) {
  lacks_labels_ = false;
  lacks_secrets_.reset();
  if (policies.needs_namespace_labels && sources.policies != nullptr && !name_space.empty()) {
    labels_ = sources.policies->namespaces().find(name_space);
    lacks_labels_ = labels_ == nullptr;
  }
  asks_labels_ = lacks_labels_ && policy_sources::Namespaces::can_be_name(name_space);
  if (asks_labels_) name_space_ = name_space;
  const bool own = sources.pull_secrets != nullptr && sources.pull_secrets->covers(name_space);
  if (policies.needs_facts && own) {
    auto names = facts::PullSecretNames::of(object, name_space);
    credentials_ = sources.pull_secrets->find(names);
    if (credentials_ == nullptr) lacks_secrets_ = std::move(names);
  }
  return asked_ || (!asks_labels_ && !lacks_secrets_);
}

void Circumstances::ask(const ClusterSources& sources,
                        net::Deadline deadline,
                        std::function<void()> ready) {
  asked_ = true;
  const auto left = std::make_shared<std::atomic<int>>(asks_labels_ && lacks_secrets_ ? 2 : 1);
  const auto one_is_ready = [left, ready = std::move(ready)] {
    if (--*left == 0) ready();
  };
  if (asks_labels_) sources.policies->ask_namespace(name_space_, deadline, one_is_ready);
  if (lacks_secrets_) sources.pull_secrets->ask(*lacks_secrets_, deadline, one_is_ready);
}

void Circumstances::tell(policy::Review& review) const {
  if (labels_ != nullptr) review.namespace_labels = labels_->labels();
  review.namespace_labels_failed = lacks_labels_;
}

}  // namespace plimsoll::webhook::admission
