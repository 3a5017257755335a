#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "webhook/layers/content_report.h"

namespace plimsoll::webhook::layers {
namespace {

struct Place {
  std::string_view prefix;
  std::string_view name;
};

constexpr std::array<Place, 34> kCaches = {{
    {"var/lib/apt/lists/", "apt lists"},
    {"var/cache/apt/", "apt archives"},
    {"var/cache/apk/", "apk cache"},
    {"etc/apk/cache/", "apk cache"},
    {"var/cache/dnf/", "dnf cache"},
    {"var/cache/yum/", "yum cache"},
    {"var/cache/zypp/", "zypper cache"},
    {"root/.cache/pip/", "pip cache"},
    {"root/.npm/", "npm cache"},
    {"root/.cache/yarn/", "yarn cache"},
    {"usr/local/share/.cache/yarn/", "yarn cache"},
    {"root/.cache/go-build/", "go build cache"},
    {"go/pkg/mod/", "go module cache"},
    {"root/go/pkg/mod/", "go module cache"},
    {"usr/local/cargo/registry/", "cargo registry"},
    {"root/.cargo/registry/", "cargo registry"},
    {"root/.m2/", "maven repository"},
    {"root/.gradle/", "gradle cache"},
    {"root/.composer/", "composer cache"},
    {"root/.cache/composer/", "composer cache"},
    {"root/.ccache/", "ccache"},
    {"root/.cache/ccache/", "ccache"},
    {"root/.cache/uv/", "uv cache"},
    {"root/.cache/pypoetry/", "poetry cache"},
    {"root/.bundle/cache/", "bundler cache"},
    {"usr/local/bundle/cache/", "bundler cache"},
    {"opt/conda/pkgs/", "conda packages"},
    {"root/.nuget/packages/", "nuget packages"},
    {"tmp/", "temporary files"},
    {"var/tmp/", "temporary files"},
    {"usr/share/doc/", "documentation"},
    {"usr/share/man/", "documentation"},
    {"usr/share/info/", "documentation"},
    {"var/log/", "logs"},
}};

constexpr std::array<std::string_view, 7> kBinaries = {"usr/bin/",
                                                       "usr/local/bin/",
                                                       "bin/",
                                                       "usr/sbin/",
                                                       "usr/local/go/bin/",
                                                       "usr/local/cargo/bin/",
                                                       "opt/java/openjdk/bin/"};

constexpr std::array<Place, 19> kTools = {{
    {"gcc", "gcc"},     {"g++", "gcc"},       {"cc1", "gcc"},
    {"clang", "clang"}, {"make", "make"},     {"cmake", "cmake"},
    {"ninja", "ninja"}, {"ld", "binutils"},   {"as", "binutils"},
    {"go", "go"},       {"gofmt", "go"},      {"javac", "jdk"},
    {"mvn", "maven"},   {"gradle", "gradle"}, {"rustc", "rust"},
    {"cargo", "rust"},  {"git", "git"},       {"node-gyp", "node-gyp"},
    {"yarn", "yarn"},
}};

constexpr std::array<Place, 9> kToolDirectories = {{
    {"usr/lib/gcc/", "gcc"},
    {"usr/libexec/gcc/", "gcc"},
    {"usr/include/", "headers"},
    {"usr/local/include/", "headers"},
    {"usr/local/go/pkg/tool/", "go"},
    {"usr/local/go/src/", "go"},
    {"usr/local/rustup/", "rust"},
    {"usr/lib/llvm", "clang"},
    {"usr/share/maven/", "maven"},
}};

// "gcc-12", "x86_64-linux-gnu-gcc-12" -> "gcc".
std::string_view tool_word(std::string_view name) {
  constexpr std::array<std::string_view, 2> kTriples = {"-linux-gnu-", "-linux-musl-"};
  for (const std::string_view triple : kTriples) {
    const std::size_t at = name.find(triple);
    if (at != std::string_view::npos) name.remove_prefix(at + triple.size());
  }
  const std::size_t dash = name.rfind('-');
  const bool version = dash != std::string_view::npos && dash + 1 < name.size() &&
                       name.find_first_not_of("0123456789.", dash + 1) == std::string_view::npos;
  return version ? name.substr(0, dash) : name;
}

}  // namespace

std::string_view cache_of(std::string_view path) {
  for (const Place& place : kCaches) {
    if (path.starts_with(place.prefix)) return place.name;
  }
  // The same places in the homes of others: home/app/.cache/pip/...
  constexpr std::string_view kHome = "home/";
  if (!path.starts_with(kHome)) return {};
  const std::size_t slash = path.find('/', kHome.size());
  if (slash == std::string_view::npos) return {};
  const std::string_view below = path.substr(slash + 1);
  constexpr std::string_view kRoot = "root/";
  for (const Place& place : kCaches) {
    if (place.prefix.starts_with(kRoot) && below.starts_with(place.prefix.substr(kRoot.size()))) {
      return place.name;
    }
  }
  return {};
}

std::string_view build_tool_of(std::string_view path) {
  for (const Place& place : kToolDirectories) {
    if (path.starts_with(place.prefix)) return place.name;
  }
  for (const std::string_view directory : kBinaries) {
    if (!path.starts_with(directory)) continue;
    const std::string_view name = path.substr(directory.size());
    if (name.find('/') != std::string_view::npos) continue;
    const auto at = std::ranges::find(kTools, tool_word(name), &Place::prefix);
    return at == kTools.end() ? std::string_view() : at->name;
  }
  return {};
}

}  // namespace plimsoll::webhook::layers
