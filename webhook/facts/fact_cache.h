// Facts as rules want them, by reference and platforms: read by every front, written by whoever
// looks images up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policy/image_facts.h"
#include "webhook/net/fetch.h"

namespace plimsoll::webhook::facts {

// Safe to use from any thread.
class FactCache {
 public:
  explicit FactCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  struct Found {
    std::shared_ptr<const policy::ImageFacts> facts;  // nullptr: nothing that may be used
    bool refresh = false;  // it should be looked up again; said to one caller at a time
    std::uint64_t scan_revision = 0;
  };
  // `wanted` must all have been asked for. Stale facts are found while they may be used.
  Found find(std::string_view key, policy::FactSet wanted);

  // How long it counts is read off the facts: see lifetimes.h. `pinned`: by digest, which does not
  // change. An outage does not replace good facts that are young enough: they are marked stale.
  // Returns what is kept now.
  std::shared_ptr<const policy::ImageFacts> put(const std::string& key,
                                                policy::FactSet asked,
                                                bool pinned,
                                                std::shared_ptr<const policy::ImageFacts> facts);
  // The same facts with another scan verdict.
  void replace_scan(const std::string& key,
                    const std::shared_ptr<const policy::ImageFacts>& before,
                    std::shared_ptr<const policy::ImageFacts> after,
                    std::uint64_t scan_revision);

  std::size_t entries() const;
  std::size_t bytes() const;
  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }
  std::uint64_t stale() const { return stale_.load(std::memory_order_relaxed); }

 private:
  using Clock = net::Clock;
  struct Entry {
    std::string key;
    std::shared_ptr<const policy::ImageFacts> facts;
    policy::FactSet asked = policy::kNoFacts;
    std::size_t bytes = 0;
    Clock::time_point fresh_until;       // used without a question
    Clock::time_point revalidate_until;  // used while it is looked up again
    Clock::time_point stale_until;       // kept for the case of an outage
    Clock::time_point refreshing_until;  // somebody looks it up already
    std::uint64_t scan_revision = 0;
  };
  static constexpr std::size_t kShards = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // the most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> places;
    std::size_t bytes = 0;
  };

  Shard& shard_of(std::string_view key);
  static void set_lifetimes(Entry& entry, bool pinned, Clock::time_point now);
  void trim(Shard& shard) const;

  std::size_t most_bytes_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> stale_ = 0;
};

}  // namespace plimsoll::webhook::facts
