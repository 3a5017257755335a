// URLs of servers that we ask: http and https, strictly read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace plimsoll::webhook::net {

inline constexpr std::size_t kMaxUrlBytes = 8 * 1024;

struct Url {
  bool tls = true;
  std::string host;  // in lower case; of an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string target = "/";  // path and query, as it stands in a request

  // "registry.corp:5000", "[::1]:5000"; without the scheme's own port.
  std::string authority() const;
  // "https://registry.corp:5000/v2/app", for people: without the query, which may be a secret.
  std::string shown() const;
  bool same_server(const Url& other) const {
    return tls == other.tls && host == other.host && port == other.port;
  }
};

// An absolute URL without user, fragment, control characters and blanks. The error is a clause,
// "it has a user name in it".
std::expected<Url, std::string> parse_url(std::string_view text);

// The target of a redirect that `base` answered with (RFC 3986 5.2): absolute, or relative to it.
std::expected<Url, std::string> resolve_location(const Url& base, std::string_view location);

// Everything but unreserved characters as %XX (RFC 3986 2.1), for one value of a query.
std::string percent_encoded(std::string_view text);

}  // namespace plimsoll::webhook::net
