#include "webhook/cli/serve_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "policy/quantity.h"
#include "webhook/admission/timeout.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Error;
using policy::ErrorKind;
using policy::Result;

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

Result<std::chrono::milliseconds> duration(const char* flag, const std::string& text) {
  const auto time = admission::parse_duration(text);
  if (!time)
    return wrong(fmt::format("{}: \"{}\" is not a duration; write 10s or 1m30s", flag, text));
  return *time;
}

Result<std::uint64_t> bytes(const char* flag, const std::string& text) {
  constexpr policy::Int128 kNano = 1'000'000'000;
  const auto quantity = policy::parse_quantity(text);
  const bool whole = quantity && quantity->nano % kNano == 0 && quantity->nano > 0;
  if (!whole) return wrong(fmt::format("{}: \"{}\" is not a size; write 32Mi", flag, text));
  return static_cast<std::uint64_t>(quantity->nano / kNano);
}

// The host of HOST:PORT is this machine alone.
bool is_loopback(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

Result<void> understand_times(const ServeFlags& flags, ServeOptions& options) {
  const struct {
    const char* flag;
    const std::string& text;
    std::chrono::milliseconds& time;
  } rows[] = {
      {"--shutdown-delay", flags.shutdown_delay, options.server.shutdown_delay},
      {"--drain-timeout", flags.drain_timeout, options.server.drain_timeout},
      {"--poll-interval", flags.poll_interval, options.poll_interval},
      {"--idle-timeout", flags.idle_timeout, options.server.idle},
      {"--facts-budget", flags.facts_budget, options.admission.facts_budget},
      {"--watch-silence", flags.watch_silence, options.watch_silence},
      {"--certificate-wait", flags.certificate_wait, options.certificate_wait},
  };
  for (const auto& row : rows) {
    const auto time = duration(row.flag, row.text);
    if (!time) return std::unexpected(time.error());
    row.time = *time;
  }
  if (options.server.drain_timeout < options.server.shutdown_delay) {
    return wrong(
        "--drain-timeout counts from the signal: it must not be shorter than --shutdown-delay");
  }
  if (options.poll_interval < std::chrono::milliseconds(100)) {
    return wrong("--poll-interval must be at least 100ms");
  }
  return {};
}

Result<void> understand_limits(const ServeFlags& flags, ServeOptions& options) {
  const auto max_body = bytes("--max-body", flags.max_body);
  if (!max_body) return std::unexpected(max_body.error());
  const auto budget = bytes("--body-budget", flags.body_budget);
  if (!budget) return std::unexpected(budget.error());
  if (*budget < *max_body) return wrong("--body-budget must not be less than --max-body");
  if (*max_body > (std::uint64_t{1} << 30U)) return wrong("--max-body must not be more than 1Gi");
  options.admission.max_body = *max_body;
  options.admission.body_budget = *budget;
  options.admission.max_in_flight = flags.max_in_flight;
  options.server.max_connections = flags.max_connections;
  options.server.front_threads = flags.threads;
  return {};
}

Result<void> understand_certificate(const ServeFlags& flags, ServeOptions& options) {
  const bool files = !flags.certificate.empty() || !flags.key.empty();
  if (flags.self_signed && files)
    return wrong("--self-signed and --cert, --key exclude each other");
  if (!flags.self_signed && (flags.certificate.empty() || flags.key.empty())) {
    return wrong(
        "--cert and --key are needed; to try things out on this machine alone, --self-signed");
  }
  if (flags.self_signed && !is_loopback(flags.listen)) {
    return wrong("--self-signed listens on this machine alone: say --listen 127.0.0.1:8443");
  }
  options.self_signed = flags.self_signed;
  options.certificate = flags.certificate;
  options.key = flags.key;
  return {};
}

Result<void> understand_clients(const ServeFlags& flags, ServeOptions& options) {
  if (flags.client_authorities.empty() && !flags.client_names.empty()) {
    return wrong("--client-name needs --client-ca: without it no certificate is asked for");
  }
  options.client_authorities = flags.client_authorities;
  options.client_names = flags.client_names;
  return {};
}

// What needs the API server needs it said.
Result<void> understand_cluster(const ServeFlags& flags, ServeOptions& options) {
  options.from_cluster = flags.policy_source == "cluster";
  const bool secrets = !flags.pull_secret_namespaces.empty();
  if (!options.from_cluster && (secrets || !flags.access.kubeconfig.empty())) {
    return wrong("--kubeconfig and --pull-secrets need --policies cluster");
  }
  for (const std::string& name : flags.pull_secret_namespaces) {
    const bool plain =
        !name.empty() &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!plain)
      return wrong(fmt::format("--pull-secrets: \"{}\" is not the name of a namespace", name));
  }
  if (options.watch_silence < std::chrono::seconds(1)) {
    return wrong("--watch-silence must be at least 1s");
  }
  options.access = flags.access;
  options.pull_secret_namespaces = flags.pull_secret_namespaces;
  return {};
}

void add_address_flags(CLI::App& command, ServeFlags& flags) {
  const CLI::IsMember modes({"enforce", "warn", "audit"});
  command
      .add_option("--policy",
                  flags.policies,
                  "Policy file or directory; may be repeated. Without it, the built-in policy")
      ->type_name("PATH")
      ->take_all();
  command
      .add_option(
          "--mode", flags.mode, "Caps every action: enforce, warn or audit. The break-glass switch")
      ->check(modes)
      ->capture_default_str();
  command.add_option("--cert", flags.certificate, "Serving certificate and its chain, PEM; polled")
      ->type_name("FILE");
  command.add_option("--key", flags.key, "Private key of the certificate, PEM; polled")
      ->type_name("FILE");
  command
      .add_option("--certificate-wait",
                  flags.certificate_wait,
                  "How long to wait at the start for certificate and key that are not there yet")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_flag(
      "--self-signed", flags.self_signed, "Make a certificate for a week; loopback addresses only");
  command
      .add_option("--listen", flags.listen, "Address for reviews over TLS; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command
      .add_option("--health-listen",
                  flags.health_listen,
                  "Address of /livez, /readyz, /metrics in plain HTTP, or off")
      ->type_name("HOST:PORT")
      ->capture_default_str();
}

// An empty value, as of a variable that is not set, must not switch the demand off.
std::string refuse_empty(const std::string& text) {
  return text.empty() ? "it is empty" : "";
}

void add_client_flags(CLI::App& command, ServeFlags& flags) {
  const CLI::Validator not_empty(refuse_empty, "");
  command
      .add_option("--client-ca",
                  flags.client_authorities,
                  "Authorities, PEM; polled. Reviews are then taken only from clients with a "
                  "certificate that one of them has signed")
      ->type_name("FILE")
      ->check(not_empty);
  command
      .add_option("--client-name",
                  flags.client_names,
                  "Common name or DNS name of a client's certificate; may be repeated. Without it, "
                  "every certificate of --client-ca will do")
      ->type_name("NAME")
      ->check(not_empty)
      ->take_all();
}

void add_time_flags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option("--shutdown-delay",
                  flags.shutdown_delay,
                  "After SIGTERM, how long connections are still accepted")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option("--drain-timeout",
                  flags.drain_timeout,
                  "After SIGTERM, when to end although connections are open")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option(
          "--idle-timeout",
          flags.idle_timeout,
          "When idle connections are closed; the API server does so after 90s and must be first")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option("--poll-interval",
                  flags.poll_interval,
                  "How often policies and certificate are looked at")
      ->type_name("TIME")
      ->capture_default_str();
}

void add_limit_flags(CLI::App& command, ServeFlags& flags) {
  command.add_option("--max-body", flags.max_body, "Largest review; beyond it, see --on-limit")
      ->type_name("SIZE")
      ->capture_default_str();
  command
      .add_option("--body-budget",
                  flags.body_budget,
                  "Memory for bodies and their parsing, all reviews together")
      ->type_name("SIZE")
      ->capture_default_str();
  command
      .add_option(
          "--max-connections", flags.max_connections, "Then no more are accepted until one ends")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--max-in-flight",
                  flags.max_in_flight,
                  "Requests at once; beyond it 503 with Retry-After")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option(
          "--threads", flags.threads, "Threads that answer; 0: as many as processors may be used")
      ->check(CLI::Range(0, 16))
      ->capture_default_str();
}

void add_image_flags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option("--registries",
                  flags.registries,
                  "Registries: mirrors, CAs, private addresses, credentials; polled. Without it, "
                  "every public registry, without credentials")
      ->type_name("FILE");
  command
      .add_option("--scan-reports",
                  flags.scan_reports,
                  "Directory of scan reports, one a digest: Trivy, Grype, SARIF or plimsoll's own "
                  "JSON; polled")
      ->type_name("DIR");
  command
      .add_option("--facts-budget",
                  flags.facts_budget,
                  "How long one review waits for facts about its images")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option("--registry-rate",
                  flags.registry_rate,
                  "Requests per second to one registry, after a burst of twice as many")
      ->check(CLI::Range(0.1, 100000.0))
      ->capture_default_str();
}

void add_cluster_flags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option(
          "--policies",
          flags.policy_source,
          "files; or cluster: HygienePolicy and HygieneException objects, watched, and the "
          "files of --policy for as long as there are none or the API server does not answer")
      ->check(CLI::IsMember({"files", "cluster"}))
      ->capture_default_str();
  add_access_flags(command, flags.access);
  command
      .add_option("--watch-silence",
                  flags.watch_silence,
                  "A watch that is silent for so long is begun anew; the API server says something "
                  "each minute")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option(
          "--pull-secrets",
          flags.pull_secret_namespaces,
          "Namespace whose pods are looked up with their own pull secrets; may be repeated. "
          "Needs get on secrets and serviceaccounts there")
      ->type_name("NAMESPACE")
      ->take_all();
}

void add_verdict_flags(CLI::App& command, ServeFlags& flags) {
  const CLI::IsMember answers({"deny", "allow"});
  command
      .add_option("--malformed",
                  flags.malformed,
                  "What to answer to an object that cannot be read: deny or allow")
      ->check(answers)
      ->capture_default_str();
  command.add_option("--on-limit", flags.on_limit, "What to answer beyond a limit: deny or allow")
      ->check(answers)
      ->capture_default_str();
  command
      .add_option("--on-timeout",
                  flags.on_timeout,
                  "What to answer where the deadline came first: deny or allow")
      ->check(answers)
      ->capture_default_str();
  command
      .add_option("--controller-user",
                  flags.controllers,
                  "User whose pods fall under controllerCreated; may be repeated, replaces the "
                  "built-in list")
      ->type_name("NAME")
      ->take_all();
  command.add_option("--log-level", flags.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

}  // namespace

void add_serve_flags(CLI::App& command, ServeFlags& flags) {
  add_address_flags(command, flags);
  add_client_flags(command, flags);
  add_time_flags(command, flags);
  add_limit_flags(command, flags);
  add_verdict_flags(command, flags);
  add_image_flags(command, flags);
  add_cluster_flags(command, flags);
}

Result<ServeOptions> understand(const ServeFlags& flags) {
  ServeOptions options;
  for (const auto step : {understand_times,
                          understand_limits,
                          understand_certificate,
                          understand_clients,
                          understand_cluster}) {
    const Result<void> done = step(flags, options);
    if (!done) return std::unexpected(done.error());
  }
  options.policies = flags.policies;
  options.registries = flags.registries;
  options.scan_reports = flags.scan_reports;
  options.registry_rate = flags.registry_rate;
  options.listen = flags.listen;
  if (flags.health_listen != "off") options.health_listen = flags.health_listen;
  policy::EvaluationOptions& evaluation = options.admission.evaluation;
  evaluation.mode = flags.mode == "audit"  ? policy::Mode::kAudit
                    : flags.mode == "warn" ? policy::Mode::kWarn
                                           : policy::Mode::kEnforce;
  if (!flags.controllers.empty()) evaluation.controllers = flags.controllers;
  options.admission.allow_malformed = flags.malformed == "allow";
  options.admission.allow_over_limit = flags.on_limit == "allow";
  options.admission.allow_late = flags.on_timeout == "allow";
  options.log_level = telemetry::log_level_of(flags.log_level).value_or(telemetry::LogLevel::kInfo);
  return options;
}

}  // namespace plimsoll::webhook::cli
