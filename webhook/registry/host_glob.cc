#include "webhook/registry/host_glob.h"

#include <cstddef>
#include <fnmatch.h>
#include <string>

namespace plimsoll::webhook::registry {
namespace {

std::string_view take_label(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view label = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return label;
}

std::size_t labels(std::string_view host) {
  std::size_t count = 1;
  for (const char c : host) count += c == '.' ? 1 : 0;
  return count;
}

}  // namespace

HostAndPort split_host(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool in_brackets =
      colon != std::string_view::npos && text.find(']', colon) != std::string_view::npos;
  if (colon == std::string_view::npos || in_brackets) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool host_matches(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with('[') || host.starts_with('[')) return pattern == host;
  if (labels(pattern) != labels(host)) return false;
  while (!pattern.empty() || !host.empty()) {
    const std::string part(take_label(pattern));
    const std::string label(take_label(host));
    if (::fnmatch(part.c_str(), label.c_str(), FNM_NOESCAPE) != 0) return false;
  }
  return true;
}

}  // namespace plimsoll::webhook::registry
