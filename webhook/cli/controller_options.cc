#include "webhook/cli/controller_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "policy/dates.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::Error;
using policy::ErrorKind;
using policy::Result;

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

Result<void> understand_times(const ControllerFlags& flags, ControllerOptions& options) {
  certificates::Terms& terms = options.house.terms;
  std::chrono::seconds duration{};
  std::chrono::seconds silence{};
  const struct {
    const char* flag;
    const std::string& text;
    std::chrono::seconds& time;
  } rows[] = {
      {"--authority-life", flags.authority_life, terms.authority_life},
      {"--serving-life", flags.serving_life, terms.serving_life},
      {"--backdate", flags.backdate, terms.backdate},
      {"--trust-delay", flags.trust_delay, terms.trust_delay},
      {"--lease-duration", flags.lease_duration, duration},
      {"--watch-silence", flags.watch_silence, silence},
  };
  for (const auto& row : rows) {
    const auto time = policy::parse_time_span(row.text);
    if (!time) {
      return wrong(
          fmt::format("{}: \"{}\" is not a duration; write 90d, 24h or 30s", row.flag, row.text));
    }
    row.time = *time;
  }
  if (terms.serving_life >= terms.authority_life) {
    return wrong("--serving-life must be shorter than --authority-life");
  }
  if (duration < std::chrono::seconds(3)) return wrong("--lease-duration must be at least 3s");
  options.lease.duration = duration;
  options.lease.renew_within = options.lease.duration * 2 / 3;
  options.lease.retry = options.lease.duration * 2 / 15;
  options.watch_silence = silence;
  return {};
}

void add_certificate_flags(CLI::App& command, ControllerFlags& flags) {
  command
      .add_option("--certificates",
                  flags.certificates,
                  "self-managed: made and renewed here; existing: the Secret is yours and never "
                  "written; cert-manager: so is the caBundle")
      ->check(CLI::IsMember({"self-managed", "existing", "cert-manager"}))
      ->capture_default_str();
  command
      .add_option("--secret", flags.secret, "Secret with tls.crt, tls.key and ca.crt; must exist")
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option(
          "--service", flags.service, "Service that the certificate is for: SERVICE.NAMESPACE.svc")
      ->type_name("NAME")
      ->capture_default_str();
  const struct {
    const char* flag;
    std::string& text;
    const char* help;
  } times[] = {
      {"--authority-life", flags.authority_life, "Life of the authority; renewed after two thirds"},
      {"--serving-life", flags.serving_life, "Life of a serving certificate; likewise"},
      {"--backdate", flags.backdate, "How long before it is made a certificate begins"},
      {"--trust-delay", flags.trust_delay, "How long a new authority is trusted before it is used"},
  };
  for (const auto& row : times) {
    command.add_option(row.flag, row.text, row.help)->type_name("TIME")->capture_default_str();
  }
}

void add_house_flags(CLI::App& command, ControllerFlags& flags) {
  command
      .add_option("--webhook-configuration",
                  flags.webhook_configuration,
                  "ValidatingWebhookConfiguration whose caBundle is kept")
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option(
          "--webhook-file",
          flags.webhook_file,
          "The configuration as it should be; what somebody changes is changed back. Annotate "
          "it with plimsoll.dev/unmanaged=true to work on it by hand")
      ->type_name("FILE");
  command
      .add_option("--policies",
                  flags.policies,
                  "cluster: write the status of HygienePolicy and HygieneException objects; files: "
                  "there are none")
      ->check(CLI::IsMember({"files", "cluster"}))
      ->capture_default_str();
}

void add_process_flags(CLI::App& command, ControllerFlags& flags) {
  command.add_option("--lease", flags.lease, "Lease by which one of several controllers leads")
      ->type_name("NAME")
      ->capture_default_str();
  command.add_option("--lease-duration", flags.lease_duration, "After which another one may lead")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option(
          "--identity", flags.identity, "Name in the Lease (default: host name and a number)")
      ->type_name("NAME");
  command
      .add_option("--watch-silence",
                  flags.watch_silence,
                  "A watch that is silent for so long is begun anew")
      ->type_name("TIME")
      ->capture_default_str();
  command
      .add_option("--health-listen",
                  flags.health_listen,
                  "Address of /livez, /readyz, /metrics in plain HTTP, or off")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command.add_option("--log-level", flags.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

}  // namespace

void add_controller_flags(CLI::App& command, ControllerFlags& flags) {
  add_access_flags(command, flags.access);
  command
      .add_option("--namespace", flags.name_space, "Where Secret and Lease are (default: our own)")
      ->type_name("NAME");
  add_certificate_flags(command, flags);
  add_house_flags(command, flags);
  add_process_flags(command, flags);
}

Result<ControllerOptions> understand(const ControllerFlags& flags) {
  ControllerOptions options;
  const Result<void> times = understand_times(flags, options);
  if (!times) return std::unexpected(times.error());
  using Mode = controller::CertificateMode;
  options.house.mode = flags.certificates == "existing"       ? Mode::kExisting
                       : flags.certificates == "cert-manager" ? Mode::kCertManager
                                                              : Mode::kSelfManaged;
  options.access = flags.access;
  options.name_space = flags.name_space;
  options.service = flags.service;
  options.house.secret = flags.secret;
  options.webhook_configuration = flags.webhook_configuration;
  options.webhook_file = flags.webhook_file;
  options.writes_status = flags.policies == "cluster";
  options.lease.name = flags.lease;
  options.lease.identity = flags.identity;
  if (flags.health_listen != "off") options.health_listen = flags.health_listen;
  options.log_level = telemetry::log_level_of(flags.log_level).value_or(telemetry::LogLevel::kInfo);
  return options;
}

}  // namespace plimsoll::webhook::cli
