#include "webhook/cli/serve_metrics.h"

#include <atomic>
#include <cstdint>
#include <span>

namespace plimsoll::webhook::cli {

using telemetry::Metrics;

namespace {

struct Row {
  Metrics::Type type;
  const char* name;
  const char* help;
  const std::atomic<std::uint64_t>& value;
};

void watch(Metrics& metrics, std::span<const Row> rows) {
  for (const Row& row : rows) {
    const std::atomic<std::uint64_t>* value = &row.value;
    metrics.watch(row.type, row.name, row.help, [value] { return static_cast<double>(*value); });
  }
}

}  // namespace

void watch_server(Metrics& metrics, const net::ServerCounters& net) {
  const Row rows[] = {
      {Metrics::Type::kGauge, "connections", "Open connections.", net.open},
      {Metrics::Type::kGauge, "requests_busy", "Requests between head and answer.", net.busy},
      {Metrics::Type::kCounter,
       "connections_accepted_total",
       "Connections accepted.",
       net.accepted},
      {Metrics::Type::kCounter,
       "accept_errors_total",
       "Connections that could not be accepted.",
       net.accept_errors},
      {Metrics::Type::kCounter,
       "tls_handshake_errors_total",
       "TLS handshakes that failed.",
       net.handshake_errors},
      {Metrics::Type::kCounter,
       "bad_requests_total",
       "Requests that are not HTTP.",
       net.bad_requests},
      {Metrics::Type::kCounter, "short_bodies_total", "Bodies that ended early.", net.short_bodies},
      {Metrics::Type::kCounter,
       "slow_peers_closed_total",
       "Connections closed at a deadline.",
       net.deadline_closes},
      {Metrics::Type::kCounter,
       "internal_failures_total",
       "Exceptions that ended a request.",
       net.failures},
  };
  watch(metrics, rows);
}

void watch_facts(Metrics& metrics, const facts::FactsService& service) {
  const facts::FactsCounters& facts = service.counters();
  const Row rows[] = {
      {Metrics::Type::kCounter,
       "registry_requests_total",
       "Requests sent to registries.",
       facts.requests},
      {Metrics::Type::kCounter,
       "registry_requests_failed_total",
       "Requests to registries without an answer, or with a failing one.",
       facts.failed_requests},
      {Metrics::Type::kCounter, "image_lookups_total", "Images looked up.", facts.look_ups},
      {Metrics::Type::kCounter,
       "image_lookups_shared_total",
       "Look-ups that waited for one that was under way.",
       facts.shared},
      {Metrics::Type::kCounter,
       "image_lookups_late_total",
       "Reviews that did not wait any longer for an image.",
       facts.timeouts},
      {Metrics::Type::kGauge, "image_lookups_under_way", "Look-ups now.", facts.flights},
      {Metrics::Type::kGauge,
       "registry_breakers_open",
       "Registries that are left alone after failures.",
       facts.open_breakers},
  };
  watch(metrics, rows);
  metrics.watch(Metrics::Type::kGauge, "images_cached", "Images whose facts are kept.", [&service] {
    return static_cast<double>(service.cache_sizes().images);
  });
  metrics.watch(Metrics::Type::kGauge,
                "image_cache_bytes",
                "Memory of the facts that are kept, about.",
                [&service] { return static_cast<double>(service.cache_sizes().bytes); });
  metrics.watch(Metrics::Type::kCounter,
                "image_cache_hits_total",
                "Questions that the kept facts answered.",
                [&service] { return static_cast<double>(service.cache_sizes().hits); });
  metrics.watch(Metrics::Type::kCounter,
                "image_cache_misses_total",
                "Questions that they did not.",
                [&service] { return static_cast<double>(service.cache_sizes().misses); });
}

}  // namespace plimsoll::webhook::cli
