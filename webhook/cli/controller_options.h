// What `plimsoll controller` and `plimsoll cleanup` can be told on the command line.
#pragma once

#include <optional>
#include <string>

#include "webhook/cli/cluster_access.h"
#include "webhook/cluster/lease.h"
#include "webhook/controller/house_keeper.h"

namespace CLI {
class App;
}

namespace plimsoll::webhook::cli {

// As given; see the texts in controller_options.cc.
struct ControllerFlags {
  AccessFlags access;
  std::string name_space;
  std::string certificates = "self-managed";
  std::string secret = "plimsoll-tls";
  std::string service = "plimsoll";
  std::string webhook_configuration = "plimsoll";
  std::string webhook_file;
  std::string policies = "cluster";
  std::string lease = "plimsoll-controller";
  std::string lease_duration = "15s";
  std::string identity;
  std::string authority_life = "365d";
  std::string serving_life = "90d";
  std::string backdate = "1h";
  std::string trust_delay = "60s";
  std::string watch_silence = "90s";
  std::string health_listen = "[::]:8080";
  std::string log_level = "info";
};

// As understood. What depends on where we run (namespace, names of the certificate) is not in it.
struct ControllerOptions {
  AccessFlags access;
  std::string name_space;  // empty: our own
  std::string service;
  controller::HouseOptions house;
  std::string webhook_configuration;
  std::string webhook_file;  // empty: only the caBundle is kept
  bool writes_status = true;
  cluster::LeaseOptions lease;
  std::chrono::milliseconds watch_silence{90'000};
  std::optional<std::string> health_listen;
  telemetry::LogLevel log_level = telemetry::LogLevel::kInfo;
};

void add_controller_flags(CLI::App& command, ControllerFlags& flags);

// The error is a sentence for the person who typed them.
policy::Result<ControllerOptions> understand(const ControllerFlags& flags);

}  // namespace plimsoll::webhook::cli
