// The policies of a running server: polled by content, published as a whole, the last good ones
// kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "policy/policy_set.h"
#include "webhook/net/snapshot.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::policy_sources {

// `poll` is called by one thread; everything else may be called by any.
class PolicyFiles {
 public:
  enum class Outcome : std::uint8_t {
    kUnchanged,
    kLoaded,   // new policies are published
    kRefused,  // something is wrong, and it is not what was wrong the last time
  };

  // Publishes into `target`, which outlives this. No paths: the built-in default.
  PolicyFiles(std::vector<std::string> paths,
              bool namespace_labels_known,
              net::Snapshot<policy::PolicySet>& target);

  // Reads all files. Where any is bad, what is published stays as it is, and errors() says why. The
  // first call publishes, or there are no policies yet.
  Outcome poll();

  // Of what is published: twelve hexadecimal digits, empty before the first good load.
  std::string revision() const;
  // Why the files as they are now are not what is published; empty: they are.
  ErrorLines errors() const;

  std::uint64_t loads() const { return loads_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  Outcome refuse(ErrorLines errors);

  const std::vector<std::string> paths_;
  const bool namespace_labels_known_;
  net::Snapshot<policy::PolicySet>& target_;
  std::string last_seen_;  // revision of the files at the last poll that could read them
  std::atomic<std::uint64_t> loads_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  mutable std::mutex mutex_;
  std::string revision_;
  ErrorLines errors_;
};

}  // namespace plimsoll::webhook::policy_sources
