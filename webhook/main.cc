// Picks the subcommand.
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "webhook/cli/commands.h"
#include "webhook/cli/terminal.h"
#include "webhook/cli/version.h"

namespace {

namespace cli = plimsoll::webhook::cli;

constexpr const char* kFooter = R"(Start here:
  helm template . | plimsoll check -     judge what a chart would install
  plimsoll policy show                   the policy that is used where none is given
  plimsoll policy rules                  what can be checked
  plimsoll serve --help                  the admission webhook)";

int run(int argc, char** argv) {
  CLI::App app(
      "plimsoll: refuses Kubernetes workloads that are unfit to sail, and says exactly why.",
      "plimsoll");
  app.set_version_flag("--version", "plimsoll " + std::string(cli::version()));
  app.set_help_flag("-h,--help", "Print this and exit; also after each command");
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  int exit_code = cli::kExitFine;
  cli::add_check(app, exit_code);
  cli::add_cleanup(app, exit_code);
  cli::add_controller(app, exit_code);
  cli::add_explain(app, exit_code);
  cli::add_image(app, exit_code);
  cli::add_policy(app, exit_code);
  cli::add_serve(app, exit_code);
  cli::add_verify(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kExitFine : cli::kExitUsage;
  }
  if (app.get_subcommands().empty()) cli::print(app.help());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    cli::complain(std::string("plimsoll: ") + error.what());
    return cli::kExitUnreadable;
  }
}
