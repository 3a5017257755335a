// What only the cluster knows about a review: its namespace's labels, its pod's credentials.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "policy/review.h"
#include "webhook/facts/pull_secrets.h"
#include "webhook/policy_sources/cluster_policies.h"

namespace plimsoll::webhook::admission {

// Where that is learnt; nullptr: it is not learnt at all.
struct ClusterSources {
  policy_sources::ClusterPolicies* policies = nullptr;
  facts::PullSecrets* pull_secrets = nullptr;
};

// Of one review.
class Circumstances {
 public:
  // True: all that counts is known. What could not be learnt by `ask` counts as known after it.
  bool look(const ClusterSources& sources,
            const policy::PolicySet& policies,
            const policy::Workload& object,
            std::string_view name_space);

  // Asks for what is not known; `ready` is called on another thread when there is an answer to all
  // of it, or at the deadline.
  void ask(const ClusterSources& sources, net::Deadline deadline, std::function<void()> ready);

  void tell(policy::Review& review) const;
  const facts::PodCredentialsPointer& credentials() const { return credentials_; }

 private:
  std::string name_space_;  // to be asked for
  bool asked_ = false;
  bool lacks_labels_ = false;
  bool asks_labels_ = false;  // lacks them, and there may be such a namespace
  policy_sources::LabelSetPointer labels_;
  std::optional<facts::PullSecretNames> lacks_secrets_;
  facts::PodCredentialsPointer credentials_;
};

}  // namespace plimsoll::webhook::admission
