#include "webhook/policy_sources/policy_files.h"

#include <memory>
#include <utility>

namespace plimsoll::webhook::policy_sources {

PolicyFiles::PolicyFiles(std::vector<std::string> paths,
                         bool namespace_labels_known,
                         net::Snapshot<policy::PolicySet>& target)
    : paths_(std::move(paths)), namespace_labels_known_(namespace_labels_known), target_(target) {}

PolicyFiles::Outcome PolicyFiles::poll() {
  auto sources = read_policy_sources(paths_);
  if (!sources) {
    last_seen_.clear();
    return refuse(std::move(sources).error());
  }
  std::string revision = revision_of(*sources);
  if (revision == last_seen_) return Outcome::kUnchanged;
  last_seen_ = revision;
  auto policies = parse_policies(*sources, namespace_labels_known_);
  if (!policies) return refuse(std::move(policies).error());
  const std::scoped_lock lock(mutex_);
  errors_.clear();
  if (revision == revision_) return Outcome::kUnchanged;  // back to what is published
  policies->revision = revision;
  target_.publish(std::make_shared<const policy::PolicySet>(*std::move(policies)));
  revision_ = std::move(revision);
  loads_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::kLoaded;
}

PolicyFiles::Outcome PolicyFiles::refuse(ErrorLines errors) {
  const std::scoped_lock lock(mutex_);
  if (errors == errors_) return Outcome::kUnchanged;
  errors_ = std::move(errors);
  failures_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::kRefused;
}

std::string PolicyFiles::revision() const {
  const std::scoped_lock lock(mutex_);
  return revision_;
}

ErrorLines PolicyFiles::errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

}  // namespace plimsoll::webhook::policy_sources
