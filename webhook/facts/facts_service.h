// Facts about images for whoever judges: what is known at once, what has to be asked for in time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policy/image_facts.h"
#include "webhook/facts/fact_request.h"
#include "webhook/net/fetch.h"
#include "webhook/net/proxy.h"
#include "webhook/net/snapshot.h"
#include "webhook/registry/registries.h"
#include "webhook/scan/source.h"
#include "webhook/telemetry/log.h"

namespace plimsoll::webhook::facts {

struct FactsOptions {
  std::size_t content_bytes = 48u << 20U;          // manifests and configurations by digest
  std::size_t facts_bytes = 48u << 20U;            // and by reference; mostly the same memory
  std::chrono::milliseconds look_up_time{15'000};  // of one, also when nobody waits any more
  std::size_t most_flights = 512;                  // look-ups at once
  std::string user_agent = "plimsoll";
  double requests_per_second = 20;  // of one registry, after a burst of twice as many; 0: no limit
};

// Counted since the start.
struct FactsCounters {
  std::atomic<std::uint64_t> requests{0};         // sent to registries
  std::atomic<std::uint64_t> failed_requests{0};  // no answer, or one that is not 200
  std::atomic<std::uint64_t> look_ups{0};
  std::atomic<std::uint64_t> shared{0};         // that found one under way already
  std::atomic<std::uint64_t> timeouts{0};       // waiters that left without facts
  std::atomic<std::uint64_t> flights{0};        // gauge: under way
  std::atomic<std::uint64_t> open_breakers{0};  // gauge
  std::array<std::atomic<std::uint64_t>, policy::kUnknownReasons>
      unknowns{};  // look-ups, by reason
};

// Has a thread of its own for asking. `cached` and `fetch` may be called from any thread.
class FactsService {
 public:
  using FactsPointer = std::shared_ptr<const policy::ImageFacts>;
  // Called on the service's thread, once for each request: with facts, or with nullptr where the
  // deadline came first. What it captures must live until then or until the service has ended.
  using Receiver = std::function<void(std::size_t index, FactsPointer facts)>;
  using Trace = std::function<void(const std::string&)>;

  // What is passed by reference must outlive the service. `log` may be nullptr.
  FactsService(FactsOptions options,
               net::ProxySettings proxies,
               const net::Snapshot<registry::Registries>& registries,
               std::vector<const scan::VerdictSource*> sources,
               telemetry::Log* log);
  FactsService(const FactsService&) = delete;
  FactsService& operator=(const FactsService&) = delete;
  ~FactsService();

  // What is known now, nullptr: not enough. Facts that are about to be too old are looked up again
  // behind the caller's back.
  FactsPointer cached(const policy::ImageReference& reference,
                      const std::vector<policy::Platform>& platforms,
                      policy::FactSet facts,
                      const PodCredentialsPointer& credentials = nullptr);

  // Look-ups of the same image are one. They go on after the deadline, so that the next to ask
  // finds the answer.
  void fetch(std::vector<FactRequest> requests,
             net::Deadline deadline,
             Receiver receiver,
             Trace trace = nullptr);

  // The platforms that count where a workload says nothing.
  const std::vector<policy::Platform>& platforms() const { return platforms_; }

  const FactsCounters& counters() const;
  struct CacheSizes {
    std::size_t images = 0;
    std::size_t bytes = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t stale = 0;
  };
  CacheSizes cache_sizes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<policy::Platform> platforms_;
};

}  // namespace plimsoll::webhook::facts
