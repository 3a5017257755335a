#include "webhook/cli/controller_program.h"

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "webhook/admission/health.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/serve_program.h"
#include "webhook/cli/terminal.h"
#include "webhook/cli/version.h"
#include "webhook/controller/status_writer.h"
#include "webhook/documents/input_files.h"
#include "webhook/net/server.h"

namespace plimsoll::webhook::cli {
namespace {

using controller::WantedConfiguration;
using telemetry::LogLevel;
using telemetry::Metrics;

constexpr std::chrono::seconds kReleaseTime{3};
constexpr std::chrono::seconds kStartTime{30};

// Of this process and no other: a restarted pod must not take itself for its predecessor.
std::string own_identity() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::array<unsigned char, 4> number{};
  RAND_bytes(number.data(), static_cast<int>(number.size()));
  return fmt::format(
      "{}_{:02x}{:02x}{:02x}{:02x}", host.data(), number[0], number[1], number[2], number[3]);
}

class ControllerProgram {
 public:
  ControllerProgram(const ControllerOptions& options,
                    std::unique_ptr<cluster::AccessSource> access,
                    const std::string& name_space,
                    WantedConfiguration wanted)
      : options_(options),
        log_(options.log_level),
        health_([this] { return readiness(); }, metrics_),
        server_(server_options(), no_tls_, health_),
        thread_(std::move(access),
                cluster::ApiOptions{.user_agent = "plimsoll-controller/" + std::string(version())},
                log_),
        lease_(thread_.api(), lease_options(options, name_space), log_),
        events_(thread_.api(), thread_.executor(), "plimsoll-controller", log_),
        house_(
            thread_,
            watch_times(options),
            house_options(options, name_space),
            std::move(wanted),
            [this] { return lease_.leads(); },
            events_,
            log_) {
    if (options.writes_status) {
      status_.emplace(
          thread_, watch_times(options), [this] { return lease_.leads(); }, events_, log_);
    }
    thread_.add("lease", [this] { return lease_.run(); });
    thread_.add("events", [this] { return events_.run(); });
  }
  ControllerProgram(const ControllerProgram&) = delete;
  ControllerProgram& operator=(const ControllerProgram&) = delete;
  ~ControllerProgram() { thread_.stop(); }

  int run();

 private:
  static net::ServerOptions server_options() {
    net::ServerOptions options;
    options.front_threads = 1;
    options.shutdown_delay = std::chrono::milliseconds(0);
    return options;
  }
  static cluster::WatchTimes watch_times(const ControllerOptions& options) {
    cluster::WatchTimes times;
    times.silence = options.watch_silence;
    return times;
  }
  static cluster::LeaseOptions lease_options(const ControllerOptions& options,
                                             const std::string& name_space) {
    cluster::LeaseOptions lease = options.lease;
    lease.name_space = name_space;
    if (lease.identity.empty()) lease.identity = own_identity();
    return lease;
  }
  static controller::HouseOptions house_options(const ControllerOptions& options,
                                                const std::string& name_space) {
    controller::HouseOptions house = options.house;
    house.name_space = name_space;
    const std::string name = options.service + "." + name_space + ".svc";
    house.terms.dns_names = {name, name + ".cluster.local"};
    house.terms.authority_name = "plimsoll authority";
    return house;
  }

  admission::Readiness readiness() const;
  bool has_started() const;
  void watch();
  void release();
  boost::asio::awaitable<void> release_lease(std::shared_ptr<std::promise<void>> released);

  const ControllerOptions& options_;
  const net::Clock::time_point began_ = net::Clock::now();
  mutable std::atomic<bool> has_started_{false};
  telemetry::Log log_;
  Metrics metrics_;
  net::Snapshot<net::TlsContext> no_tls_;
  admission::HealthHandler health_;
  net::Server server_;
  cluster::ApiThread thread_;
  // The thread's tasks refer to these, but run no more when they go; their timers are the thread's.
  cluster::Lease lease_;
  controller::EventRecorder events_;
  controller::HouseKeeper house_;
  std::optional<controller::StatusWriter> status_;
};

// Whoever waits for a ready controller may rely on certificates that the API server trusts. What
// keeps failing is told by other means: it must not hold up a rollout for longer than that.
bool ControllerProgram::has_started() const {
  if (has_started_) return true;
  const bool is_late = net::Clock::now() > began_ + kStartTime;
  if (house_.is_in_order() || lease_.is_anothers() || is_late) has_started_ = true;
  return has_started_;
}

admission::Readiness ControllerProgram::readiness() const {
  admission::Readiness readiness;
  readiness.ready = has_started() && !server_.draining();
  readiness.text = lease_.leads() ? "leading\n" : "another one leads\n";
  if (!has_started()) readiness.text += "starting: the house is not in order yet\n";
  const std::string trouble = house_.trouble();
  if (!trouble.empty()) readiness.text += "house: " + trouble + "\n";
  if (house_.is_unmanaged()) {
    readiness.text += "house: the webhook configuration is unmanaged, by its annotation\n";
  }
  if (house_.is_other_revision()) {
    readiness.text += "house: the webhook configuration is of another revision than the file\n";
  }
  if (lease_.leads()) {
    readiness.text += fmt::format("certificate: {:.1f} days left, authority: {:.1f}\n",
                                  house_.serving_days_left(),
                                  house_.authority_days_left());
  }
  if (status_) {
    for (const std::string& line : status_->trouble()) readiness.text += "status: " + line + "\n";
  }
  return readiness;
}

void ControllerProgram::watch() {
  using Type = Metrics::Type;
  using Self = const ControllerProgram&;
  const auto add = [this](Type type, const char* name, const char* help, double (*read)(Self)) {
    metrics_.watch(type, name, help, [this, read] { return read(*this); });
  };
  add(Type::kGauge, "controller_leads", "1: this one writes.", [](Self self) {
    return self.lease_.leads() ? 1.0 : 0.0;
  });
  add(Type::kGauge,
      "controller_certificate_days_left",
      "Days until the serving certificate in the Secret expires; of the leader.",
      [](Self self) { return self.house_.serving_days_left(); });
  add(Type::kGauge,
      "controller_authority_days_left",
      "Days until the newest authority in the Secret expires; of the leader.",
      [](Self self) { return self.house_.authority_days_left(); });
  add(Type::kGauge,
      "webhook_configuration_ok",
      "1: the webhook configuration is as it should be; of the leader.",
      [](Self self) { return self.house_.configuration_is_right() ? 1.0 : 0.0; });
  add(Type::kCounter, "webhook_configuration_heals_total", "Changes undone.", [](Self self) {
    return static_cast<double>(self.house_.heals());
  });
  add(Type::kCounter, "certificate_renewals_total", "Times the Secret was written.", [](Self self) {
    return static_cast<double>(self.house_.renewals());
  });
  add(Type::kCounter, "status_writes_total", "Statuses written.", [](Self self) {
    return self.status_ ? static_cast<double>(self.status_->writes()) : 0.0;
  });
  add(Type::kGauge,
      "policies_refused",
      "HygienePolicy objects whose newest spec is refused.",
      [](Self self) { return self.status_ ? static_cast<double>(self.status_->refused()) : 0.0; });
  add(Type::kCounter, "events_total", "Events written.", [](Self self) {
    return static_cast<double>(self.events_.written());
  });
  add(Type::kCounter, "events_dropped_total", "Events lost.", [](Self self) {
    return static_cast<double>(self.events_.dropped());
  });
  add(Type::kCounter, "cluster_requests_total", "Requests to the API server.", [](Self self) {
    return static_cast<double>(self.thread_.api().counters().requests);
  });
  add(Type::kCounter,
      "cluster_request_failures_total",
      "Those without a good answer.",
      [](Self self) { return static_cast<double>(self.thread_.api().counters().failures); });
}

boost::asio::awaitable<void> ControllerProgram::release_lease(
    std::shared_ptr<std::promise<void>> released) {
  co_await lease_.release();
  released->set_value();
}

// So that another one need not wait for the lease to run out.
void ControllerProgram::release() {
  const auto released = std::make_shared<std::promise<void>>();
  auto done = released->get_future();
  thread_.add("release", [this, released] { return release_lease(released); });
  done.wait_for(kReleaseTime);
}

int ControllerProgram::run() {
  std::string health = "off";
  if (options_.health_listen) {
    const auto bound = server_.listen_plain(*options_.health_listen, health_);
    if (!bound) {
      complain("plimsoll: --health-listen: " + bound.error().message);
      return kExitUsage;
    }
    health = *bound;
  }
  watch();
  const std::string server = thread_.api().server();
  log_.write(LogLevel::kInfo, "controlling", {{"server", server}, {"health", health}});
  thread_.start();
  const int code = server_.run();
  release();
  log_.write(LogLevel::kInfo, "ended", {});
  return code;
}

policy::Result<WantedConfiguration> wanted_configuration(const ControllerOptions& options) {
  if (options.webhook_file.empty()) {
    return WantedConfiguration::bundle_only(options.webhook_configuration);
  }
  const auto text = documents::read_file(options.webhook_file, controller::kMaxConfigurationBytes);
  if (!text) {
    return std::unexpected(
        policy::Error{text.error().kind, options.webhook_file + ": " + text.error().message});
  }
  return WantedConfiguration::parse(options.webhook_file, *text);
}

int bad_configuration(const std::string& why) {
  complain("plimsoll controller: " + why);
  return kExitBadConfiguration;
}

}  // namespace

int run_controller(const ControllerOptions& options) {
  auto access = cluster_access(options.access);
  if (!access) return bad_configuration(access.error().message);
  std::string name_space = options.name_space;
  if (name_space.empty()) name_space = (*access)->config().name_space;
  if (name_space.empty()) return bad_configuration("--namespace is needed outside of a pod");
  auto wanted = wanted_configuration(options);
  if (!wanted) return bad_configuration(wanted.error().message);
  ControllerProgram program(options, *std::move(access), name_space, *std::move(wanted));
  return program.run();
}

}  // namespace plimsoll::webhook::cli
