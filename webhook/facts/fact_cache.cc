#include "webhook/facts/fact_cache.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "webhook/facts/content_cache.h"
#include "webhook/facts/lifetimes.h"

namespace plimsoll::webhook::facts {
namespace {

using policy::ImageFacts;
using policy::Unknown;

constexpr std::chrono::seconds kRefreshTime{20};  // then another may try
constexpr std::chrono::hours kPinnedLife{24};

std::size_t memory_of_facts(const std::string& key, const ImageFacts& facts) {
  constexpr std::size_t kOverhead = 512;  // the entry, its place, the facts themselves
  std::size_t bytes = kOverhead + key.size();
  for (const policy::PlatformFacts& platform : facts.platforms) {
    if (platform.manifest) bytes += memory_of(**platform.manifest);
    if (platform.config) bytes += memory_of(**platform.config);
  }
  return bytes;
}

// Everything in them that was asked for and is not known; scan verdicts are not looked up here.
template <class Visit>
void for_each_unknown(const ImageFacts& facts, policy::FactSet asked, Visit visit) {
  if (!facts.resolution) visit(facts.resolution.error());
  for (const policy::PlatformFacts& platform : facts.platforms) {
    const bool wants_manifest = (asked & (policy::kManifest | policy::kConfig)) != 0;
    if (wants_manifest && !platform.manifest) visit(platform.manifest.error());
    if ((asked & policy::kConfig) != 0 && !platform.config) visit(platform.config.error());
  }
}

// The shortest life of what is not known; nothing: all of it is known.
std::optional<std::chrono::seconds> life_of_unknowns(const ImageFacts& facts,
                                                     policy::FactSet asked) {
  std::optional<std::chrono::seconds> life;
  for_each_unknown(facts, asked, [&life](const Unknown& unknown) {
    const auto of_this = lifetime_of(unknown.reason);
    life = life ? std::min(*life, of_this) : of_this;
  });
  return life;
}

bool is_hit_by_outage(const ImageFacts& facts, policy::FactSet asked) {
  bool outage = false;
  for_each_unknown(facts, asked, [&outage](const Unknown& unknown) {
    outage = outage || policy::class_of(unknown.reason) == policy::UnknownClass::kOutage;
  });
  return outage;
}

}  // namespace

FactCache::Shard& FactCache::shard_of(std::string_view key) {
  return shards_[std::hash<std::string_view>()(key) % kShards];
}

FactCache::Found FactCache::find(std::string_view key, policy::FactSet wanted) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto place = shard.places.find(key);
  const Clock::time_point now = Clock::now();
  const policy::FactSet looked_up = wanted & ~policy::kScan;
  if (place == shard.places.end() || (place->second->asked & looked_up) != looked_up ||
      place->second->revalidate_until < now) {
    misses_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  Entry& entry = *place->second;
  hits_.fetch_add(1, std::memory_order_relaxed);
  Found found{entry.facts, false, entry.scan_revision};
  if (entry.fresh_until < now) {
    stale_.fetch_add(1, std::memory_order_relaxed);
    found.refresh = entry.refreshing_until < now;
    if (found.refresh) entry.refreshing_until = now + kRefreshTime;
  }
  return found;
}

void FactCache::set_lifetimes(Entry& entry, bool pinned, Clock::time_point now) {
  const auto unknowns = life_of_unknowns(*entry.facts, entry.asked);
  entry.refreshing_until = {};
  if (unknowns) {
    entry.fresh_until = entry.revalidate_until = now + *unknowns;
    entry.stale_until = {};
  } else if (pinned) {
    entry.fresh_until = entry.revalidate_until = entry.stale_until = now + kPinnedLife;
  } else {
    entry.fresh_until = now + kTagFresh;
    entry.revalidate_until = now + kTagRevalidate;
    entry.stale_until = now + kTagStale;
  }
}

std::shared_ptr<const ImageFacts> FactCache::put(const std::string& key,
                                                 policy::FactSet asked,
                                                 bool pinned,
                                                 std::shared_ptr<const ImageFacts> facts) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const Clock::time_point now = Clock::now();
  const auto place = shard.places.find(key);
  if (place != shard.places.end()) {
    Entry& entry = *place->second;
    const policy::FactSet looked_up = asked & ~policy::kScan;
    const bool covers = (entry.asked & looked_up) == looked_up;
    if (covers && entry.stale_until > now && is_hit_by_outage(*facts, asked)) {
      constexpr std::chrono::seconds kAskAgain{5};
      auto marked = std::make_shared<ImageFacts>(*entry.facts);
      if (marked->resolution) marked->resolution->stale = true;
      entry.facts = std::move(marked);
      entry.fresh_until = now + kAskAgain;
      entry.revalidate_until = entry.stale_until;
      return entry.facts;
    }
    shard.bytes -= entry.bytes;
    const auto old = place->second;
    shard.places.erase(place);
    shard.entries.erase(old);
  }
  Entry& entry = shard.entries.emplace_front();
  entry.key = key;
  entry.facts = facts;
  entry.asked = asked;
  entry.bytes = memory_of_facts(key, *facts);
  set_lifetimes(entry, pinned, now);
  shard.places.emplace(entry.key, shard.entries.begin());
  shard.bytes += entry.bytes;
  trim(shard);
  return facts;
}

void FactCache::replace_scan(const std::string& key,
                             const std::shared_ptr<const ImageFacts>& before,
                             std::shared_ptr<const ImageFacts> after,
                             std::uint64_t scan_revision) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place == shard.places.end() || place->second->facts != before) return;
  place->second->facts = std::move(after);
  place->second->scan_revision = scan_revision;
}

void FactCache::trim(Shard& shard) const {
  while (shard.bytes > most_bytes_ / kShards && shard.entries.size() > 1) {
    const Entry& last = shard.entries.back();
    shard.bytes -= last.bytes;
    shard.places.erase(last.key);
    shard.entries.pop_back();
  }
}

std::size_t FactCache::entries() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

std::size_t FactCache::bytes() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace plimsoll::webhook::facts
