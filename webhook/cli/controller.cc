#include <memory>

#include <CLI/CLI.hpp>

#include "webhook/cli/commands.h"
#include "webhook/cli/controller_options.h"
#include "webhook/cli/controller_program.h"
#include "webhook/cli/terminal.h"

namespace plimsoll::webhook::cli {
namespace {

constexpr const char* kFooter =
    R"(The only part of plimsoll that writes to the cluster. Of several controllers one leads; every write
names the version of what it changes.

It makes the authority and the serving certificate in a Secret and renews them before they end (a new
authority is trusted before it is used), keeps the webhook configuration as installed, and writes the
status of policies and exceptions. A webhook configuration that is deleted is not made again: deleting
it is how an administrator switches plimsoll off.

Exit: 0 ended as told; 2 wrong usage, or the address cannot be had; 78 a bad configuration.

Example:
  plimsoll controller --namespace plimsoll-system --webhook-file /etc/plimsoll/webhook.yaml)";

}  // namespace

void add_controller(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("controller", "Keep certificates, webhook configuration and status");
  command->footer(kFooter);
  const auto flags = std::make_shared<ControllerFlags>();
  add_controller_flags(*command, *flags);
  command->callback([flags, &exit_code] {
    const policy::Result<ControllerOptions> options = understand(*flags);
    if (options) {
      exit_code = run_controller(*options);
    } else {
      complain("plimsoll controller: " + options.error().message);
      exit_code = kExitUsage;
    }
  });
}

}  // namespace plimsoll::webhook::cli
