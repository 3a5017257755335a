#include "policy/package_commands.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/shell_commands.h"

namespace plimsoll::policy {
namespace {

struct Manager {
  std::string_view command;
  std::array<std::string_view, 4> installs;  // its words that install, or fetch lists
  std::array<std::string_view, 3> removes;
  std::string_view clean_option;  // an option with which it keeps nothing
  std::string_view cleaned_by;    // text of a command that removes what it kept
  std::string_view advice;
};

constexpr std::string_view kAptLists = "/var/lib/apt/lists";
constexpr std::string_view kApt = "end the RUN with rm -rf /var/lib/apt/lists/*";
constexpr std::string_view kPip = "use pip install --no-cache-dir";
constexpr std::string_view kNpm = "use a cache mount, or end the RUN with npm cache clean --force";

constexpr std::array<Manager, 10> kManagers = {{
    {"apt-get",
     {"install", "update", "upgrade", "dist-upgrade"},
     {"remove", "purge", "autoremove"},
     "",
     kAptLists,
     kApt},
    {"apt",
     {"install", "update", "upgrade", "full-upgrade"},
     {"remove", "purge", "autoremove"},
     "",
     kAptLists,
     kApt},
    {"apk",
     {"add", "update", "upgrade", ""},
     {"del", "", ""},
     "--no-cache",
     "/var/cache/apk",
     "use apk add --no-cache"},
    {"yum",
     {"install", "update", "upgrade", ""},
     {"remove", "erase", "autoremove"},
     "",
     "clean all",
     "end the RUN with yum clean all"},
    {"dnf",
     {"install", "update", "upgrade", ""},
     {"remove", "erase", "autoremove"},
     "",
     "clean all",
     "end the RUN with dnf clean all"},
    {"microdnf",
     {"install", "update", "upgrade", ""},
     {"remove", "", ""},
     "",
     "clean all",
     "end the RUN with microdnf clean all"},
    {"zypper",
     {"install", "in", "refresh", "update"},
     {"remove", "rm", ""},
     "",
     "zypper clean",
     "end the RUN with zypper clean --all"},
    {"pip", {"install", "", "", ""}, {"uninstall", "", ""}, "--no-cache-dir", ".cache/pip", kPip},
    {"pip3", {"install", "", "", ""}, {"uninstall", "", ""}, "--no-cache-dir", ".cache/pip", kPip},
    {"npm", {"install", "ci", "i", ""}, {"uninstall", "", ""}, "", "cache clean", kNpm},
}};

constexpr std::size_t kNone = std::string_view::npos;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != kNone;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return !word.empty() && std::ranges::find(words, word) != words.end();
}

const Manager* manager_of(ShellCommand& command) {
  const bool module = command.size() > 3 && command[0].starts_with("python") && command[1] == "-m";
  if (module) command.erase(command.begin(), command.begin() + 2);  // python3 -m pip install
  const std::string_view name = command[0].substr(command[0].rfind('/') + 1);
  const auto at = std::ranges::find(kManagers, name, &Manager::command);
  return at == kManagers.end() ? nullptr : &*at;
}

// The first word that is no option: "install" of "apt-get -y install gcc". Its place in the
// command.
std::size_t verb_at(const ShellCommand& command) {
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (!command[i].starts_with('-')) return i;
  }
  return command.size();
}

void add_once(std::vector<std::string_view>& list, std::string_view word) {
  constexpr std::size_t kMost = 1000;
  if (list.size() < kMost && std::ranges::find(list, word) == list.end()) list.push_back(word);
}

class Reading {
 public:
  explicit Reading(std::string_view script) : script_(script) {}

  PackageWork read() {
    bool any = false;
    work_.only_cleans = true;
    for (ShellCommand& command : shell_commands(script_)) {
      any = true;
      look_at(command);
    }
    work_.only_cleans = work_.only_cleans && any;
    return std::move(work_);
  }

 private:
  void look_at(ShellCommand& command) {
    const Manager* manager = manager_of(command);
    if (manager == nullptr) {
      const bool removes_tree = command[0] == "rm" && command.size() > 2 &&
                                command[1].starts_with('-') && has(command[1], "r");
      work_.only_cleans = work_.only_cleans && (removes_tree || command[0] == "set");
      return;
    }
    const std::size_t at = verb_at(command);
    const std::string_view verb = at < command.size() ? command[at] : std::string_view();
    const bool removes = is_one_of(verb, manager->removes);
    const bool cleans = verb == "clean" || verb == "autoclean" || verb == "cache";
    work_.removes = work_.removes || removes;
    work_.only_cleans = work_.only_cleans && (removes || cleans);
    if (is_one_of(verb, manager->installs)) look_at_install(*manager, command, at + 1);
  }

  void look_at_install(const Manager& manager, const ShellCommand& command, std::size_t from) {
    bool no_cache = false;
    for (const std::string_view word : command) {
      no_cache = no_cache || (!manager.clean_option.empty() && word == manager.clean_option);
    }
    for (std::size_t i = from; i < command.size(); ++i) {
      if (command[i].starts_with('-') || command[i].starts_with('.')) continue;
      add_once(work_.installed, command[i].substr(0, command[i].find_first_of("=<>~")));
    }
    if (no_cache || has(script_, manager.cleaned_by) || has(script_, "--mount=type=cache")) return;
    if (work_.managers.empty()) work_.advice = manager.advice;
    add_once(work_.managers, manager.command);
  }

  std::string_view script_;
  PackageWork work_;
};

}  // namespace

PackageWork package_work(std::string_view script) {
  return Reading(script).read();
}

}  // namespace plimsoll::policy
