#include "policy/image_facts.h"

#include <algorithm>
#include <array>

#include "policy/ascii.h"

namespace plimsoll::policy {
namespace {

struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;
};

// github.com/containerd/platforms, normalizeArch.
constexpr std::array<Alias, 8> kAliases = {{
    {"x86_64", "amd64", ""},
    {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""},
    {"i386", "386", ""},
    {"i486", "386", ""},
    {"i686", "386", ""},
    {"armhf", "arm", "v7"},
    {"armel", "arm", "v6"},
}};

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = to_lower(c);
  return lowered;
}

// "v7" -> 7, "v8.1" -> 8; 0 where it is neither.
unsigned level(std::string_view variant) {
  if (variant.size() < 2 || variant[0] != 'v' || !is_digit(variant[1])) return 0;
  return static_cast<unsigned>(variant[1] - '0');
}

unsigned level_of(const Platform& platform) {
  if (!platform.variant.empty()) return level(platform.variant);
  if (platform.architecture == "amd64") return 1;
  if (platform.architecture == "arm64") return 8;
  return platform.architecture == "arm" ? 7 : 0;
}

// Builds of Windows run on hosts of the same build: the first three parts of the version.
bool same_windows_build(std::string_view wanted, std::string_view offered) {
  if (wanted.empty() || offered.empty()) return true;
  const auto build = [](std::string_view version) {
    std::size_t end = 0;
    for (int part = 0; part < 3 && end != std::string_view::npos; ++part) {
      end = version.find('.', end + (part > 0 ? 1 : 0));
    }
    return version.substr(0, end);
  };
  return build(wanted) == build(offered);
}

}  // namespace

std::string platform_text(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

void normalise(Platform& platform) {
  platform.os = lower(platform.os);
  platform.architecture = lower(platform.architecture);
  platform.variant = lower(platform.variant);
  if (platform.os == "macos") platform.os = "darwin";
  const auto alias = std::ranges::find(kAliases, platform.architecture, &Alias::name);
  if (alias != kAliases.end()) {
    platform.architecture = alias->architecture;
    if (!alias->variant.empty()) platform.variant = alias->variant;
  }
  std::string& variant = platform.variant;
  if (!variant.empty() && is_digit(variant.front())) variant.insert(0, 1, 'v');
  if (platform.architecture == "amd64" && variant == "v1") variant.clear();
  if (platform.architecture == "arm64" && variant == "v8") variant.clear();
  if (platform.architecture == "arm" && variant.empty()) variant = "v7";
}

std::optional<Platform> parse_platform(std::string_view text) {
  std::array<std::string_view, 3> parts;
  std::size_t count = 0;
  while (true) {
    const std::size_t slash = text.find('/');
    const std::string_view part = text.substr(0, slash);
    const bool fine = !part.empty() && std::ranges::all_of(part, [](char c) {
      return is_alnum(c) || c == '_' || c == '-' || c == '.';
    });
    if (!fine || count == parts.size()) return std::nullopt;
    parts[count++] = part;
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  if (count < 2) return std::nullopt;
  Platform platform{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), ""};
  normalise(platform);
  return platform;
}

std::optional<unsigned> platform_distance(const Platform& wanted, const Platform& offered) {
  if (wanted.os != offered.os) return std::nullopt;
  if (!same_windows_build(wanted.os_version, offered.os_version)) return std::nullopt;
  if (wanted.architecture == offered.architecture) {
    if (wanted.variant == offered.variant) return 0;
    const unsigned want = level_of(wanted);
    const unsigned offer = level_of(offered);
    if (offer == 0 || want == 0 || offer > want) return std::nullopt;
    return 1 + want - offer;
  }
  constexpr unsigned kLastResort = 100;  // amd64 runs 386
  if (wanted.architecture == "amd64" && offered.architecture == "386") return kLastResort;
  return std::nullopt;
}

std::optional<std::string_view> find_value(const KeyValues& pairs, std::string_view key) {
  const auto at = std::ranges::find(pairs, key, &KeyValues::value_type::first);
  if (at == pairs.end()) return std::nullopt;
  return at->second;
}

ImageFacts ImageFacts::unknown(const std::vector<Platform>& platforms, const Unknown& why) {
  ImageFacts facts{std::unexpected(why), {}, std::unexpected(why)};
  for (const Platform& platform : platforms) {
    facts.platforms.push_back({platform, std::unexpected(why), std::unexpected(why)});
  }
  return facts;
}

}  // namespace plimsoll::policy
