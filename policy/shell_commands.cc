#include "policy/shell_commands.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace plimsoll::policy {
namespace {

constexpr std::string_view kEnds = "\n;&|()";
constexpr std::string_view kBlanks = " \t\r\\\"'`";

bool is_before_command(std::string_view word) {
  constexpr std::array<std::string_view, 11> kWords = {
      "sudo", "exec", "then", "else", "do", "if", "while", "!", "{", "}", "time"};
  if (std::ranges::find(kWords, word) != kWords.end()) return true;
  return word.find('=') != std::string_view::npos && !word.starts_with('-');
}

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view script) {
  std::vector<ShellCommand> commands;
  ShellCommand command;
  std::size_t at = 0;
  while (at < script.size()) {
    const char c = script[at];
    if (kEnds.find(c) != std::string_view::npos) {
      if (c == '\n' && at > 0 && script[at - 1] == '\\') {
        ++at;
        continue;
      }
      if (!command.empty()) commands.push_back(std::move(command));
      command.clear();
      ++at;
      continue;
    }
    if (kBlanks.find(c) != std::string_view::npos) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(script.find_first_of("\n;&|() \t\r\\\"'`", at), script.size());
    const std::string_view word = script.substr(at, end - at);
    if (!command.empty() || !is_before_command(word)) command.push_back(word);
    at = end;
  }
  if (!command.empty()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace plimsoll::policy
