#include "webhook/cli/cluster_access.h"

#include <utility>

#include <CLI/CLI.hpp>

#include "webhook/cli/image_source.h"
#include "webhook/cluster/kubeconfig.h"

namespace plimsoll::webhook::cli {

void add_access_flags(CLI::App& command, AccessFlags& flags) {
  command
      .add_option("--kubeconfig",
                  flags.kubeconfig,
                  "How to reach the API server; without it, the pod's service account")
      ->type_name("FILE");
  command
      .add_option("--context", flags.context, "Context of the kubeconfig (default: the current)")
      ->type_name("NAME");
  command.add_flag("--allow-exec",
                   flags.allow_exec,
                   "Run the program that the kubeconfig names for credentials");
}

policy::Result<std::unique_ptr<cluster::AccessSource>> cluster_access(const AccessFlags& flags) {
  auto config = flags.kubeconfig.empty()
                    ? cluster::in_cluster_access(&environment_variable)
                    : cluster::kubeconfig_access(flags.kubeconfig, flags.context, flags.allow_exec);
  if (!config) return std::unexpected(config.error());
  return cluster::AccessSource::make(*std::move(config));
}

}  // namespace plimsoll::webhook::cli
