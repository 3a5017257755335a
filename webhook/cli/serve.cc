#include <memory>

#include <CLI/CLI.hpp>

#include "webhook/cli/commands.h"
#include "webhook/cli/serve_options.h"
#include "webhook/cli/serve_program.h"
#include "webhook/cli/terminal.h"

namespace plimsoll::webhook::cli {
namespace {

constexpr const char* kFooter =
    R"(Reviews are posted to /validate?timeout=10s over TLS. Policies, the certificate and the client
authorities are polled; a bad new file never replaces a good one: it shows in the log, in /readyz and
in the metrics.

On SIGTERM the server stops being ready, answers with "Connection: close", stops accepting after the
shutdown delay, and ends when the last connection has ended. SIGHUP looks at the files at once.

Exit: 0 ended as told; 2 wrong usage, or the address cannot be had; 78 a bad policy, certificate
or client authority at the start.

Examples:
  plimsoll serve --cert tls.crt --key tls.key --policy /etc/plimsoll/policies
  plimsoll serve --self-signed --listen 127.0.0.1:8443 --health-listen off)";

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Answer admission reviews over TLS");
  command->footer(kFooter);
  const auto flags = std::make_shared<ServeFlags>();
  add_serve_flags(*command, *flags);
  command->callback([flags, &exit_code] {
    const policy::Result<ServeOptions> options = understand(*flags);
    if (options) {
      exit_code = run_server(*options);
    } else {
      complain("plimsoll serve: " + options.error().message);
      exit_code = kExitUsage;
    }
  });
}

}  // namespace plimsoll::webhook::cli
