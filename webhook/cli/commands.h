// The subcommands: each adds itself to the program's command line.
#pragma once

#include <string_view>

namespace CLI {
class App;
}

namespace plimsoll::webhook::cli {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;      // something reached --fail-on
inline constexpr int kExitUsage = 2;       // of the command line, or a policy that is wrong
inline constexpr int kExitUnreadable = 3;  // some input could not be read

// When the subcommand was given, its callback sets `exit_code`, which must outlive the parsing.
void add_check(CLI::App& app, int& exit_code);
void add_cleanup(CLI::App& app, int& exit_code);
void add_controller(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_image(CLI::App& app, int& exit_code);
void add_policy(CLI::App& app, int& exit_code);
void add_serve(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);

}  // namespace plimsoll::webhook::cli
