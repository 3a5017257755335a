#include "policy/image_reference.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "policy/ascii.h"
#include "policy/pattern.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kLibrary = "library/";
constexpr std::size_t kMaxPathBytes = 255;
constexpr std::size_t kMaxTagBytes = 128;

constexpr bool is_letter(char c) {
  return is_lower(c) || is_upper(c);
}
constexpr bool is_lower_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}
constexpr bool is_hex(char c) {
  return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

bool has_upper(std::string_view text) {
  return std::ranges::any_of(text, is_upper);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Takes the text before `separator` off the front of `text`, and the separator.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

using Groups = std::array<std::uint16_t, 8>;

std::optional<std::uint16_t> parse_group(std::string_view digits) {
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : digits) {
    if (!is_hex(c)) return std::nullopt;
    const char folded = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    value = value * 16 + static_cast<unsigned>(is_digit(folded) ? folded - '0' : folded - 'a' + 10);
  }
  return static_cast<std::uint16_t>(value);
}

// Groups parted by single colons, onto the end of `groups`. False for anything else, or too many.
bool parse_groups(std::string_view text, Groups& groups, std::size_t& count) {
  if (text.empty()) return true;
  while (true) {
    const std::size_t end = text.find(':');
    const std::optional<std::uint16_t> group = parse_group(text.substr(0, end));
    if (!group || count == groups.size()) return false;
    groups[count++] = *group;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

// RFC 4291 2.2 forms 1 and 2; the reference grammar has neither dotted quads nor zones.
std::optional<Groups> parse_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  Groups front{};
  std::size_t front_count = 0;
  if (!parse_groups(text.substr(0, gap), front, front_count)) return std::nullopt;
  if (gap == std::string_view::npos) {
    if (front_count != front.size()) return std::nullopt;
    return front;
  }
  Groups back{};
  std::size_t back_count = 0;
  if (!parse_groups(text.substr(gap + 2), back, back_count)) return std::nullopt;
  if (front_count + back_count > 7) return std::nullopt;
  std::copy_n(back.begin(), back_count, front.end() - static_cast<std::ptrdiff_t>(back_count));
  return front;
}

// One form for each address (not RFC 5952's: no zero run is shortened), for comparing only.
std::string ipv6_text(const Groups& groups) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "[";
  for (const std::uint16_t group : groups) {
    if (text.size() > 1) text += ':';
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = (static_cast<unsigned>(group) >> static_cast<unsigned>(shift)) & 0xFU;
      started = started || digit != 0 || shift == 0;
      if (started) text += kDigits[digit];
    }
  }
  return text + "]";
}

bool is_host_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.back() == '.') return false;
  while (!host.empty()) {
    if (!is_host_label(take_until(host, '.'))) return false;
  }
  return true;
}

bool is_port(std::string_view port) {
  if (port.empty() || !std::ranges::all_of(port, is_digit)) return false;
  unsigned value = 0;
  for (const char c : port) {
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65535) return false;
  }
  return value > 0;
}

// Where the host ends and ":port" begins; the size where there is no port.
std::size_t host_end(std::string_view domain) {
  const std::size_t from = domain.starts_with('[') ? domain.find(']') : 0;
  if (from == std::string_view::npos) return domain.size();
  return std::min(domain.find(':', from), domain.size());
}

// An empty answer: the domain is one that can be pulled from.
std::string_view domain_fault(std::string_view domain) {
  const std::size_t end = host_end(domain);
  const std::string_view host = domain.substr(0, end);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || !parse_ipv6(host.substr(1, host.size() - 2))) {
      return "the registry is not a valid IPv6 address in brackets";
    }
  } else if (!is_host_name(host)) {
    return "the registry is not a valid host name";
  }
  if (end < domain.size() && !is_port(domain.substr(end + 1))) {
    return "the registry's port is not a number from 1 to 65535";
  }
  return {};
}

// The length of a separator at the front ("." "_" "__" or dashes), 0 for none.
std::size_t separator_length(std::string_view text) {
  if (text.starts_with("__")) return 2;
  if (text.starts_with('.') || text.starts_with('_')) return 1;
  return std::min(text.find_first_not_of('-'), text.size());
}

bool is_path_component(std::string_view text) {
  while (true) {
    std::size_t run = 0;
    while (run < text.size() && (is_lower(text[run]) || is_digit(text[run]))) ++run;
    if (run == 0) return false;
    text.remove_prefix(run);
    if (text.empty()) return true;
    const std::size_t separator = separator_length(text);
    if (separator == 0) return false;
    text.remove_prefix(separator);
  }
}

bool is_path(std::string_view path) {
  if (path.empty() || path.back() == '/') return false;
  while (!path.empty()) {
    if (!is_path_component(take_until(path, '/'))) return false;
  }
  return true;
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kMaxTagBytes || tag.front() == '.' || tag.front() == '-')
    return false;
  return std::ranges::all_of(
      tag, [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  const std::string_view algorithm = take_until(digest, ':');
  const std::size_t length =
      algorithm == "sha256" ? 64 : (algorithm == "sha512" ? 128 : (algorithm == "sha384" ? 96 : 0));
  return length != 0 && digest.size() == length && std::ranges::all_of(digest, is_lower_hex);
}

bool names_domain(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         has_upper(first);
}

// "path[:tag][@digest]" into `reference`; an empty answer: it is well formed.
std::string_view remainder_fault(std::string_view rest, ImageReference& reference) {
  if (has_upper(rest.substr(0, rest.find(':')))) return "the repository name must be lower case";
  const std::size_t at = rest.find('@');
  if (at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    if (!is_digest(reference.digest))
      return "the digest is not one of sha256, sha384 or sha512 in hex";
    rest = rest.substr(0, at);
  }
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag)) return "the tag is not valid";
    rest = rest.substr(0, colon);
  }
  reference.path = rest;
  if (!is_path(rest)) return "the repository name is not valid";
  const std::size_t bytes = rest.size() + (reference.library ? kLibrary.size() : 0);
  if (bytes > kMaxPathBytes) return "the repository name is longer than 255 bytes";
  return {};
}

bool is_hub_alias(std::string_view host) {
  return host == kHub || host == "index.docker.io" || host == "registry-1.docker.io" ||
         host == "registry.hub.docker.com";
}

std::string host_key_of(std::string_view domain) {
  const std::size_t end = host_end(domain);
  std::string host = lower(domain.substr(0, end));
  const std::string_view port = domain.substr(end);
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto groups = parse_ipv6(std::string_view(host).substr(1, host.size() - 2));
    if (groups) host = ipv6_text(*groups);
  }
  if (!port.empty() && port != ":443") return host + std::string(port);
  return is_hub_alias(host) ? std::string(kHub) : host;
}

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

// Whether a pattern without a slash names a host rather than an image of the library.
bool is_bare_host(std::string_view pattern) {
  const std::string_view host = pattern.substr(0, pattern.find(':'));
  const std::string_view port = pattern.substr(std::min(host.size() + 1, pattern.size()));
  if (host == "localhost" || pattern.starts_with('[')) return true;
  const bool portable = port.empty() || is_port(port);
  return host.find('.') != std::string_view::npos && !host.starts_with('*') && portable;
}

}  // namespace

std::expected<ImageReference, std::string_view> parse_image_reference(std::string_view text) {
  if (text.empty()) return std::unexpected("it is empty");
  if (text.size() > kMaxReferenceBytes) return std::unexpected("it is longer than 1,024 bytes");
  if (text.size() == 64 && std::ranges::all_of(text, is_lower_hex)) {
    return std::unexpected("64 hex digits are an image id, not a name");
  }
  ImageReference reference;
  reference.domain = kHub;
  std::string_view rest = text;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && names_domain(text.substr(0, slash))) {
    reference.domain = text.substr(0, slash);
    rest = text.substr(slash + 1);
    if (reference.domain == "index.docker.io") reference.domain = kHub;
  }
  reference.library = reference.domain == kHub && rest.find('/') == std::string_view::npos;
  std::string_view fault = remainder_fault(rest, reference);
  if (fault.empty()) fault = domain_fault(reference.domain);
  if (!fault.empty()) return std::unexpected(fault);
  return reference;
}

std::string ImageReference::repository() const {
  std::string text(domain);
  text += '/';
  if (library) text += kLibrary;
  text += path;
  return text;
}

std::string ImageReference::normalised() const {
  std::string text = repository();
  text += is_pinned() ? '@' : ':';
  text += is_pinned() ? digest : effective_tag();
  return text;
}

std::string ImageReference::host_key() const {
  return host_key_of(domain);
}

std::string normalised_image_pattern(std::string_view pattern) {
  const std::size_t slash = pattern.find('/');
  if (slash == std::string_view::npos) {
    if (pattern.starts_with('*')) return std::string(pattern);
    if (is_bare_host(pattern)) return host_key_of(pattern) + "/*";
    return std::string(kHub) + "/" + std::string(kLibrary) + std::string(pattern);
  }
  const std::string_view first = pattern.substr(0, slash);
  const std::string_view rest = pattern.substr(slash + 1);
  if (has_wildcard(first)) return lower(first) + "/" + std::string(rest);
  if (!names_domain(first)) return std::string(kHub) + "/" + std::string(pattern);
  const std::string host = host_key_of(first);
  const bool library =
      host == kHub && rest.find('/') == std::string_view::npos && !rest.starts_with('*');
  return host + "/" + std::string(library ? kLibrary : "") + std::string(rest);
}

bool image_pattern_matches(std::string_view pattern, const ImageReference& reference) {
  std::string text = reference.host_key();
  text += '/';
  if (reference.library) text += kLibrary;
  text += reference.path;
  if (glob_matches(pattern, text)) return true;
  const std::string repository = text;
  if (!reference.tag.empty() || !reference.is_pinned()) {
    text += ':';
    text += reference.effective_tag();
    if (glob_matches(pattern, text)) return true;
  }
  if (!reference.is_pinned()) return false;
  const std::string suffix = "@" + std::string(reference.digest);
  return glob_matches(pattern, text + suffix) || glob_matches(pattern, repository + suffix);
}

}  // namespace plimsoll::policy
