// Decides which policies are in force: the cluster's objects, or files where there are none.
#pragma once

#include <memory>
#include <mutex>

#include "policy/policy_set.h"
#include "webhook/net/snapshot.h"

namespace plimsoll::webhook::policy_sources {

// May be called from any thread. Publishes into `target`, which outlives this.
class PoliciesInForce {
 public:
  using Pointer = std::shared_ptr<const policy::PolicySet>;

  explicit PoliciesInForce(net::Snapshot<policy::PolicySet>& target) : target_(target) {}

  void set_files(Pointer policies) {
    const std::scoped_lock lock(mutex_);
    files_ = std::move(policies);
    publish();
  }
  // nullptr: the cluster has none.
  void set_objects(Pointer policies) {
    const std::scoped_lock lock(mutex_);
    objects_ = std::move(policies);
    publish();
  }
  bool uses_objects() const {
    const std::scoped_lock lock(mutex_);
    return objects_ != nullptr;
  }

 private:
  void publish() { target_.publish(objects_ != nullptr ? objects_ : files_); }

  net::Snapshot<policy::PolicySet>& target_;
  mutable std::mutex mutex_;
  Pointer files_;
  Pointer objects_;
};

}  // namespace plimsoll::webhook::policy_sources
