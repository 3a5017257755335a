#include "webhook/cli/terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace plimsoll::webhook::cli {

bool wants_colour() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nothing changes the environment
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return ::isatty(STDOUT_FILENO) == 1;
}

bool print(std::string_view text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0) return true;
  complain("plimsoll: standard output: " + std::generic_category().message(errno));
  return false;
}

void complain(std::string_view line) {
  fmt::print(stderr, "{}\n", line);
}

}  // namespace plimsoll::webhook::cli
