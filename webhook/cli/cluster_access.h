// How subcommands are told to reach the API server: the same flags everywhere.
#pragma once

#include <memory>
#include <string>

#include "webhook/cluster/access.h"

namespace CLI {
class App;
}

namespace plimsoll::webhook::cli {

struct AccessFlags {
  std::string kubeconfig;  // file; empty: the pod's service account
  std::string context;     // empty: the current one
  bool allow_exec = false;
};

void add_access_flags(CLI::App& command, AccessFlags& flags);

policy::Result<std::unique_ptr<cluster::AccessSource>> cluster_access(const AccessFlags& flags);

}  // namespace plimsoll::webhook::cli
