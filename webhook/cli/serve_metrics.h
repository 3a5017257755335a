// Makes the counters of a server's parts visible as metrics.
#pragma once

#include "webhook/facts/facts_service.h"
#include "webhook/net/server.h"
#include "webhook/telemetry/metrics.h"

namespace plimsoll::webhook::cli {

// What is passed must outlive the metrics' last reading.
void watch_server(telemetry::Metrics& metrics, const net::ServerCounters& net);
void watch_facts(telemetry::Metrics& metrics, const facts::FactsService& service);

}  // namespace plimsoll::webhook::cli
