#include "webhook/cli/serve_program.h"

#include <chrono>
#include <malloc.h>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "webhook/admission/handler.h"
#include "webhook/admission/health.h"
#include "webhook/admission/reviewer.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/image_source.h"
#include "webhook/cli/serve_cluster.h"
#include "webhook/cli/serve_metrics.h"
#include "webhook/cli/terminal.h"
#include "webhook/cli/version.h"
#include "webhook/facts/facts_service.h"
#include "webhook/net/certificate_files.h"
#include "webhook/net/client_authorities.h"
#include "webhook/policy_sources/policy_files.h"
#include "webhook/registry/registry_file.h"
#include "webhook/scan/report_directory.h"

namespace plimsoll::webhook::cli {
namespace {

using policy_sources::PolicyFiles;
using telemetry::LogLevel;
using telemetry::Metrics;
using Days = std::chrono::duration<double, std::ratio<86400>>;

class ServeProgram {
 public:
  explicit ServeProgram(const ServeOptions& options)
      : options_(options),
        log_(options.log_level),
        policy_files_(options.policies, options.from_cluster, file_policies_),
        certificate_files_(options.certificate, options.key),
        client_authorities_(options.client_authorities, options.client_names),
        registry_file_(options.registries, registries_),
        health_([this] { return readiness(); }, metrics_) {}

  int run();

 private:
  const net::Snapshot<net::TlsContext>& tls() const {
    return options_.self_signed ? self_signed_ : certificate_files_.current();
  }
  policy::Result<void> load_certificate();
  policy::Result<void> await_certificate();
  bool load_client_authorities();
  bool load_policies();
  bool join_cluster();
  bool load_registries();
  bool start_facts();
  void make_server();
  bool listen();
  void watch_reloads();
  void poll();
  void poll_policies();
  void poll_certificate();
  void poll_client_authorities();
  void poll_registries();
  admission::Readiness readiness() const;
  double days_left() const;

  const ServeOptions& options_;
  telemetry::Log log_;
  Metrics metrics_;
  net::Snapshot<policy::PolicySet> policies_;
  policy_sources::PoliciesInForce in_force_{policies_};
  net::Snapshot<policy::PolicySet> file_policies_;
  PolicyFiles policy_files_;
  net::Snapshot<net::TlsContext> self_signed_;
  net::CertificateFiles certificate_files_;
  net::ClientAuthorityFile client_authorities_;
  net::Snapshot<registry::Registries> registries_;
  registry::RegistryFile registry_file_;
  std::optional<scan::ReportDirectory> reports_;
  admission::HealthHandler health_;
  std::optional<admission::Reviewer> reviewer_;
  std::optional<admission::AdmissionHandler> handler_;
  std::optional<net::Server> server_;
  // Last, so that they end first: they wake the server's connections.
  std::optional<facts::FactsService> facts_;
  std::optional<ServeCluster> cluster_;
  std::chrono::steady_clock::time_point expiry_told_;
};

policy::Result<void> ServeProgram::load_certificate() {
  if (!options_.self_signed) return certificate_files_.load();
  const auto pair = net::make_self_signed();
  if (!pair) return std::unexpected(pair.error());
  auto context = net::make_server_tls(*pair);
  if (!context) return std::unexpected(context.error());
  self_signed_.publish(std::move(*context));
  return {};
}

// Of a Secret that is being made while we start: its files come when it has content.
policy::Result<void> ServeProgram::await_certificate() {
  constexpr std::chrono::milliseconds kLookAgain{500};
  const auto until = std::chrono::steady_clock::now() + options_.certificate_wait;
  policy::Result<void> loaded = load_certificate();
  if (!loaded && options_.certificate_wait.count() > 0) {
    log_.write(LogLevel::kWarn, "waiting for the certificate", {{"why", loaded.error().message}});
  }
  while (!loaded && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLookAgain);
    loaded = load_certificate();
  }
  return loaded;
}

bool ServeProgram::load_client_authorities() {
  if (options_.client_authorities.empty()) return true;
  const policy::Result<void> loaded = client_authorities_.load();
  if (!loaded) complain("plimsoll: --client-ca: " + loaded.error().message);
  return loaded.has_value();
}

bool ServeProgram::load_policies() {
  policy_files_.poll();
  in_force_.set_files(file_policies_.read());
  if (policies_.read() != nullptr) return true;
  for (const std::string& line : policy_files_.errors()) complain(line);
  return false;
}

// Files are in force until the cluster has been heard.
bool ServeProgram::join_cluster() {
  if (!options_.from_cluster) return true;
  auto access = cluster_access(options_.access);
  if (!access) {
    complain("plimsoll: " + access.error().message);
    return false;
  }
  cluster_.emplace(options_, *std::move(access), in_force_, log_);
  return true;
}

bool ServeProgram::load_registries() {
  registry_file_.poll();
  if (registries_.read() != nullptr) return true;
  for (const std::string& line : registry_file_.errors()) complain(line);
  return false;
}

bool ServeProgram::start_facts() {
  auto proxies = net::ProxySettings::from(&environment_variable);
  if (!proxies) {
    complain("plimsoll: " + proxies.error().message);
    return false;
  }
  std::vector<const scan::VerdictSource*> sources;
  if (!options_.scan_reports.empty()) {
    reports_.emplace("files", options_.scan_reports);
    reports_->poll();
    sources.push_back(&*reports_);
  }
  facts::FactsOptions options;
  options.requests_per_second = options_.registry_rate;
  options.user_agent = "plimsoll/" + std::string(version());
  facts_.emplace(std::move(options), *std::move(proxies), registries_, std::move(sources), &log_);
  return true;
}

void ServeProgram::make_server() {
  const auto cluster = cluster_ ? cluster_->sources() : admission::ClusterSources();
  reviewer_.emplace(options_.admission, policies_, &*facts_, cluster, log_, metrics_);
  handler_.emplace(options_.admission, *reviewer_, metrics_);
  server_.emplace(options_.server, tls(), *handler_);
  if (options_.client_authorities.empty()) return;
  server_->demand_certificates(
      client_authorities_.current(), [this](std::string_view peer, std::string_view why) {
        log_.write_limited(LogLevel::kWarn, "client refused", {{"peer", peer}, {"why", why}});
      });
}

bool ServeProgram::listen() {
  const auto address = server_->listen(options_.listen);
  if (!address) {
    complain("plimsoll: --listen: " + address.error().message);
    return false;
  }
  std::string health = "off";
  if (options_.health_listen) {
    const auto bound = server_->listen_plain(*options_.health_listen, health_);
    if (!bound) {
      complain("plimsoll: --health-listen: " + bound.error().message);
      return false;
    }
    health = *bound;
  }
  const auto policies = policies_.read();
  log_.write(LogLevel::kInfo,
             "listening",
             {{"address", *address},
              {"health", health},
              {"mode", policy::mode_word(options_.admission.evaluation.mode)},
              {"policies", static_cast<std::int64_t>(policies->policies.size())},
              {"policyRevision", policies->revision}});
  return true;
}

double ServeProgram::days_left() const {
  return Days(tls().read()->not_after - std::chrono::system_clock::now()).count();
}

void ServeProgram::poll_policies() {
  const PolicyFiles::Outcome outcome = policy_files_.poll();
  if (outcome == PolicyFiles::Outcome::kLoaded) {
    const std::string revision = policy_files_.revision();
    in_force_.set_files(file_policies_.read());
    log_.write(
        LogLevel::kInfo, "policies loaded", {{"source", "files"}, {"policyRevision", revision}});
  } else if (outcome == PolicyFiles::Outcome::kRefused) {
    for (const std::string& line : policy_files_.errors()) {
      log_.write_limited(
          LogLevel::kError, "policies refused, the old ones are kept", {{"why", line}});
    }
  }
}

void ServeProgram::poll_certificate() {
  constexpr std::chrono::minutes kTellAgain{1};
  if (!options_.self_signed) {
    const auto polled = certificate_files_.poll();
    if (polled.change == net::CertificateFiles::Change::kSwapped) {
      log_.write(LogLevel::kInfo,
                 "certificate loaded",
                 {{"daysLeft", static_cast<std::int64_t>(days_left())}});
    } else if (polled.change == net::CertificateFiles::Change::kFailed) {
      log_.write(
          LogLevel::kError, "certificate refused, the old one is kept", {{"why", polled.message}});
    }
  }
  const auto now = std::chrono::steady_clock::now();
  if (days_left() >= 0 || now < expiry_told_ + kTellAgain) return;
  expiry_told_ = now;
  log_.write(LogLevel::kError, "the serving certificate has expired", {});
}

void ServeProgram::poll_client_authorities() {
  if (options_.client_authorities.empty()) return;
  const auto polled = client_authorities_.poll();
  if (polled.change == net::PolledFiles::Change::kSwapped) {
    log_.write(LogLevel::kInfo, "client authorities loaded", {});
  } else if (polled.change == net::PolledFiles::Change::kFailed) {
    log_.write(LogLevel::kError,
               "client authorities refused, the old ones are kept",
               {{"why", polled.message}});
  }
}

void ServeProgram::poll_registries() {
  const auto outcome = registry_file_.poll();
  if (outcome == registry::RegistryFile::Outcome::kLoaded) {
    log_.write(LogLevel::kInfo, "registries loaded", {});
  } else if (outcome == registry::RegistryFile::Outcome::kRefused) {
    for (const std::string& line : registry_file_.errors()) {
      log_.write_limited(
          LogLevel::kError, "registries refused, the old ones are kept", {{"why", line}});
    }
  }
  if (!reports_) return;
  reports_->poll();
  for (const std::string& line : reports_->errors()) {
    log_.write_limited(LogLevel::kWarn, "scan report refused", {{"why", line}});
  }
}

void ServeProgram::poll() {
  poll_policies();
  poll_certificate();
  poll_client_authorities();
  poll_registries();
}

admission::Readiness ServeProgram::readiness() const {
  admission::Readiness readiness;
  const double days = days_left();
  const auto policies = policies_.read();
  readiness.ready =
      policies != nullptr && days > 0 && !server_->draining() && (!cluster_ || cluster_->settled());
  if (server_->draining()) readiness.text += "draining\n";
  readiness.text += fmt::format("policies: revision {} in force\n", policies->revision);
  if (cluster_) readiness.text += cluster_->readiness();
  for (const std::string& line : policy_files_.errors()) {
    readiness.text += "policies: the files as they are now were refused: " + line + "\n";
  }
  readiness.text +=
      days > 0 ? fmt::format("certificate: {:.1f} days left\n", days) : "certificate: expired\n";
  for (const std::string& line : registry_file_.errors()) {
    readiness.text += "registries: the files as they are now were refused: " + line + "\n";
  }
  if (certificate_files_.failures() > 0) {
    readiness.text +=
        fmt::format("certificate: {} reloads failed\n", certificate_files_.failures());
  }
  if (client_authorities_.failures() > 0) {
    readiness.text +=
        fmt::format("client authorities: {} reloads failed\n", client_authorities_.failures());
  }
  return readiness;
}

void ServeProgram::watch_reloads() {
  const auto watch =
      [this](Metrics::Type type, const char* name, const char* help, std::function<double()> read) {
        metrics_.watch(type, name, help, std::move(read));
      };
  watch(Metrics::Type::kGauge,
        "certificate_days_left",
        "Days until the serving certificate expires.",
        [this] { return days_left(); });
  watch(Metrics::Type::kGauge,
        "body_budget_used_bytes",
        "Charged for bodies and their parsing.",
        [this] { return static_cast<double>(handler_->budget().used()); });
  watch(Metrics::Type::kCounter,
        "certificate_reload_failures_total",
        "Certificate reloads that failed.",
        [this] { return static_cast<double>(certificate_files_.failures()); });
  watch(Metrics::Type::kCounter, "certificate_reloads_total", "Certificates swapped in.", [this] {
    return static_cast<double>(certificate_files_.swaps());
  });
  watch(Metrics::Type::kCounter,
        "client_authorities_reload_failures_total",
        "Reloads of client authorities that failed.",
        [this] { return static_cast<double>(client_authorities_.failures()); });
  watch(Metrics::Type::kCounter,
        "client_authorities_reloads_total",
        "Client authorities swapped in.",
        [this] { return static_cast<double>(client_authorities_.swaps()); });
  watch(Metrics::Type::kCounter,
        "policy_reload_failures_total",
        "Policy reloads that failed.",
        [this] { return static_cast<double>(policy_files_.failures()); });
  watch(Metrics::Type::kCounter, "policy_loads_total", "Policies put into force.", [this] {
    return static_cast<double>(policy_files_.loads());
  });
  watch(Metrics::Type::kCounter,
        "log_lines_dropped_total",
        "Log lines lost because nobody read them.",
        [this] { return static_cast<double>(log_.dropped()); });
}

// The C library raises the size from which blocks are mapped, and so given back at once, with every
// large block that is freed: several large reviews would then stay in memory for good.
void pin_memory_threshold() {
  constexpr int kMappedBytes = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kMappedBytes);  // NOLINT(concurrency-mt-unsafe): no other thread yet
}

int ServeProgram::run() {
  if (!load_policies() || !load_registries() || !load_client_authorities()) {
    return kExitBadConfiguration;
  }
  const policy::Result<void> certificate = await_certificate();
  if (!certificate) {
    complain("plimsoll: " + certificate.error().message);
    return kExitBadConfiguration;
  }
  if (days_left() < 0) log_.write(LogLevel::kError, "the serving certificate has expired", {});
  if (!start_facts() || !join_cluster()) return kExitBadConfiguration;
  make_server();
  if (!listen()) return kExitUsage;
  watch_server(metrics_, server_->counters());
  watch_facts(metrics_, *facts_);
  watch_reloads();
  if (cluster_) {
    cluster_->watch(metrics_);
    cluster_->start();
  }
  server_->every(options_.poll_interval, [this] { poll(); });
  server_->on_hangup([this] { poll(); });
  server_->on_drain([this] { log_.write(LogLevel::kInfo, "draining", {}); });
  const int code = server_->run();
  log_.write(LogLevel::kInfo, "ended", {});
  return code;
}

}  // namespace

int run_server(const ServeOptions& options) {
  pin_memory_threshold();
  return ServeProgram(options).run();
}

}  // namespace plimsoll::webhook::cli
