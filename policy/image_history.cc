#include "policy/image_history.h"

#include <algorithm>
#include <array>
#include <optional>

#include "policy/command_secrets.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kNop = "#(nop)";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Behind "/bin/sh -c ", "/bin/bash -o pipefail -c ", "cmd /S /C ", "powershell -Command "; nothing
// where `text` does not begin with a shell.
std::optional<std::string_view> behind_shell(std::string_view text) {
  for (const std::string_view windows : {"cmd /S /C ", "cmd /s /c ", "powershell -Command "}) {
    if (text.starts_with(windows)) return trimmed(text.substr(windows.size()));
  }
  const std::string_view path = text.substr(0, text.find(' '));
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 4> kShells = {"sh", "bash", "ash", "dash"};
  if (!path.starts_with('/') || std::ranges::find(kShells, name) == kShells.end()) {
    return std::nullopt;
  }
  text = trimmed(text.substr(path.size()));
  while (text.starts_with('-') || text.starts_with("pipefail ")) {
    const std::string_view option = text.substr(0, text.find(' '));
    text = trimmed(text.substr(option.size()));
    if (option.starts_with('-') && option.ends_with('c')) return text;
  }
  return std::nullopt;
}

// "|2 A=1 B=two words /bin/sh -c make": the shell's part; what stands before are build arguments.
// Nothing at all where no shell is found, since arguments may be secrets.
std::string_view without_arguments(std::string_view text) {
  if (!text.starts_with('|')) return text;
  std::size_t at = text.find(' ');
  while (at != std::string_view::npos) {
    const std::string_view rest = text.substr(at + 1);
    const bool may_be_shell =
        rest.starts_with('/') || rest.starts_with("cmd ") || rest.starts_with("powershell ");
    if (may_be_shell && behind_shell(rest)) return rest;
    at = text.find(' ', at + 1);
  }
  return {};
}

// The well-known empty tar: gzipped, gzipped by Docker, and as diff-id.
constexpr std::array<std::string_view, 3> kEmptyTars = {
    "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
    "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"};

}  // namespace

std::string_view build_arguments(std::string_view created_by) {
  std::string_view text = trimmed(created_by);
  if (text.starts_with("RUN ")) text = trimmed(text.substr(4));
  if (!text.starts_with('|')) return {};
  return trimmed(text.substr(0, text.size() - without_arguments(text).size()));
}

std::string plain_instruction(std::string_view created_by) {
  std::string_view text = trimmed(created_by);
  constexpr std::string_view kBuildkit = "# buildkit";
  if (text.ends_with(kBuildkit)) text = trimmed(text.substr(0, text.size() - kBuildkit.size()));
  const bool has_arguments = text.starts_with('|') || text.starts_with("RUN |");
  const bool is_run = text.starts_with("RUN ");
  if (is_run) text = trimmed(text.substr(4));
  text = without_arguments(text);
  const auto command = behind_shell(text);
  if (command && command->starts_with(kNop))
    return std::string(trimmed(command->substr(kNop.size())));
  if (command) return "RUN " + std::string(*command);
  return (is_run || has_arguments ? "RUN " : "") + std::string(text);
}

std::string shown_instruction(std::string_view created_by, std::size_t runes) {
  std::string_view looked_at = created_by;
  if (looked_at.size() > kMaxCommandBytes) {
    // What is cut through may be half a secret, which no longer looks like one.
    looked_at = looked_at.substr(0, kMaxCommandBytes);
    looked_at = looked_at.substr(0, looked_at.find_last_of(" \t\n"));
  }
  const std::string redacted = without_command_secrets(plain_instruction(looked_at));
  std::string spaced;
  for (const char c : redacted) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      spaced += c;
    } else if (!spaced.empty() && spaced.back() != ' ') {
      spaced += ' ';
    }
  }
  return printable(trimmed(spaced), runes);
}

std::vector<LayerOrigin> layer_origins(const Manifest& manifest, const ImageConfig* config) {
  std::vector<LayerOrigin> origins;
  origins.reserve(manifest.layers.size());
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Layer& layer = manifest.layers[i];
    const bool known_empty = std::ranges::find(kEmptyTars, layer.digest) != kEmptyTars.end();
    origins.push_back({&layer, i, nullptr, known_empty});
  }
  if (config == nullptr) return origins;
  const auto filled = std::ranges::count(config->history, false, &HistoryEntry::empty_layer);
  if (static_cast<std::size_t>(filled) != origins.size()) return origins;
  std::size_t at = 0;
  for (const HistoryEntry& entry : config->history) {
    if (!entry.empty_layer) origins[at++].history = &entry;
  }
  return origins;
}

}  // namespace plimsoll::policy
