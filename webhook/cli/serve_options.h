// What `plimsoll serve` can be told on the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/result.h"
#include "webhook/admission/options.h"
#include "webhook/cli/cluster_access.h"
#include "webhook/net/server.h"
#include "webhook/telemetry/log.h"

namespace CLI {
class App;
}

namespace plimsoll::webhook::cli {

// As given; see the texts in serve_options.cc.
struct ServeFlags {
  std::vector<std::string> policies;
  std::string mode = "enforce";
  std::string certificate;
  std::string key;
  bool self_signed = false;
  std::string listen = "[::]:8443";
  std::string health_listen = "[::]:8080";
  std::string shutdown_delay = "10s";
  std::string drain_timeout = "95s";
  std::string poll_interval = "10s";
  std::string idle_timeout = "180s";
  std::string max_body = "32Mi";
  std::string body_budget = "128Mi";
  std::size_t max_connections = 1024;
  std::size_t max_in_flight = 512;
  unsigned threads = 0;
  std::string malformed = "deny";
  std::string on_limit = "deny";
  std::string on_timeout = "deny";
  std::vector<std::string> controllers;
  std::string log_level = "info";
  std::string registries;
  std::string scan_reports;
  std::string facts_budget = "4s";
  double registry_rate = 20;
  std::string policy_source = "files";
  AccessFlags access;
  std::string watch_silence = "90s";
  std::vector<std::string> pull_secret_namespaces;
  std::string certificate_wait = "0s";
  std::string client_authorities;
  std::vector<std::string> client_names;
};

// As understood.
struct ServeOptions {
  std::vector<std::string> policies;
  std::string certificate;  // empty with self_signed
  std::string key;
  bool self_signed = false;
  std::string listen;
  std::optional<std::string> health_listen;  // nothing: off
  std::chrono::milliseconds poll_interval{10'000};
  net::ServerOptions server;
  admission::AdmissionOptions admission;
  telemetry::LogLevel log_level = telemetry::LogLevel::kInfo;
  std::string registries;    // file; empty: every public registry, no credentials
  std::string scan_reports;  // directory; empty: none
  double registry_rate = 20;
  bool from_cluster = false;  // policies and namespaces; files are for when it does not answer
  AccessFlags access;
  std::chrono::milliseconds watch_silence{90'000};
  std::vector<std::string> pull_secret_namespaces;
  std::chrono::milliseconds certificate_wait{0};
  std::string client_authorities;         // file; empty: clients need no certificate
  std::vector<std::string> client_names;  // none: every certificate of these authorities
};

void add_serve_flags(CLI::App& command, ServeFlags& flags);

// The error is a sentence for the person who typed them.
policy::Result<ServeOptions> understand(const ServeFlags& flags);

}  // namespace plimsoll::webhook::cli
