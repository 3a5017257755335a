#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "webhook/cli/cluster_access.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/serve_program.h"
#include "webhook/cli/terminal.h"
#include "webhook/cli/version.h"
#include "webhook/cluster/api.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::cli {
namespace {

constexpr const char* kFooter =
    R"(Deletes the webhook configuration first, so that nothing waits for a server that is about to go, then
the Lease. What is not there counts as deleted: running it twice does no harm. Policies, exceptions
and the Secret stay.

Exit: 0 all of it is gone; 1 something could not be deleted; 2 wrong usage; 78 no way to the cluster.

Example:
  plimsoll cleanup --namespace plimsoll-system)";

struct CleanupFlags {
  AccessFlags access;
  std::string name_space;
  std::string webhook_configuration = "plimsoll";
  std::string lease = "plimsoll-controller";
};

struct Target {
  std::string what;
  std::string path;
};

std::vector<Target> targets_of(const CleanupFlags& flags, const std::string& name_space) {
  std::vector<Target> targets = {
      {"webhook configuration " + flags.webhook_configuration,
       "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" +
           net::percent_encoded(flags.webhook_configuration)}};
  if (!name_space.empty()) {
    targets.push_back({"lease " + flags.lease,
                       "/apis/coordination.k8s.io/v1/namespaces/" +
                           net::percent_encoded(name_space) + "/leases/" +
                           net::percent_encoded(flags.lease)});
  }
  return targets;
}

// `all_gone` outlives it.
boost::asio::awaitable<void> remove_all(cluster::Api& api,
                                        std::vector<Target> targets,
                                        bool& all_gone) {
  for (const Target& target : targets) {
    cluster::ApiRequest request;
    request.method = "DELETE";
    request.path = target.path;
    request.time = std::chrono::seconds(15);
    const cluster::ApiResult answer = co_await api.call(std::move(request));
    if (answer) {
      print(fmt::format("{}: deleted\n", target.what));
    } else if (answer.error().code == 404) {
      print(fmt::format("{}: not there\n", target.what));
    } else {
      complain(fmt::format("plimsoll cleanup: {}: {}", target.what, answer.error().text()));
      all_gone = false;
    }
  }
}

int run_cleanup(const CleanupFlags& flags) {
  auto access = cluster_access(flags.access);
  if (!access) {
    complain("plimsoll cleanup: " + access.error().message);
    return kExitBadConfiguration;
  }
  const std::string name_space =
      flags.name_space.empty() ? (*access)->config().name_space : flags.name_space;
  bool all_gone = true;
  boost::asio::io_context io(1);
  cluster::Api api(
      io, *std::move(access), {.user_agent = "plimsoll-cleanup/" + std::string(version())});
  std::exception_ptr failure;
  boost::asio::co_spawn(io,
                        remove_all(api, targets_of(flags, name_space), all_gone),
                        [&failure, &io](const std::exception_ptr& thrown) {
                          failure = thrown;
                          io.stop();
                        });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return all_gone ? kExitFine : kExitFailed;
}

}  // namespace

void add_cleanup(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("cleanup", "Remove what would block a cluster without plimsoll");
  command->footer(kFooter);
  const auto flags = std::make_shared<CleanupFlags>();
  add_access_flags(*command, flags->access);
  command->add_option("--namespace", flags->name_space, "Where the Lease is (default: our own)")
      ->type_name("NAME");
  command->add_option("--webhook-configuration", flags->webhook_configuration, "What is deleted")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--lease", flags->lease, "What is deleted")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([flags, &exit_code] { exit_code = run_cleanup(*flags); });
}

}  // namespace plimsoll::webhook::cli
