#include "webhook/net/url.h"

#include <algorithm>
#include <charconv>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "policy/ascii.h"

namespace plimsoll::webhook::net {
namespace {

namespace urls = boost::urls;

constexpr std::uint16_t kTlsPort = 443;
constexpr std::uint16_t kPlainPort = 80;

std::unexpected<std::string> refused(std::string_view why) {
  return std::unexpected(std::string(why));
}

std::expected<Url, std::string> checked(const urls::url_view& view) {
  Url url;
  if (view.scheme_id() == urls::scheme::https) {
    url.tls = true;
  } else if (view.scheme_id() == urls::scheme::http) {
    url.tls = false;
  } else {
    return refused("it is neither https nor http");
  }
  if (view.has_userinfo()) return refused("it has a user name in it");
  const std::string host = view.host_address();
  if (host.empty()) return refused("it names no host");
  if (host.find_first_of("% \t\r\n/") != std::string::npos) return refused("its host is no host");
  for (const char c : host) url.host += policy::to_lower(c);
  url.port = url.tls ? kTlsPort : kPlainPort;
  if (view.has_port() && !view.port().empty()) {
    const std::string port(view.port());
    const char* end = port.data() + port.size();
    const auto read = std::from_chars(port.data(), end, url.port);
    if (read.ec != std::errc() || read.ptr != end || url.port == 0) {
      return refused("its port is none");
    }
  }
  url.target = view.encoded_path().empty() ? "/" : std::string(view.encoded_path());
  if (view.has_query()) url.target += "?" + std::string(view.encoded_query());
  return url;
}

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// In whatever case.
bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() &&
         std::ranges::equal(text.substr(0, scheme.size()), scheme, {}, policy::to_lower);
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? kTlsPort : kPlainPort)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::shown() const {
  return (tls ? "https://" : "http://") + authority() + target.substr(0, target.find('?'));
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return refused("it is longer than 8 KiB");
  if (!is_clean(text)) return refused("it has blanks or control characters in it");
  if (text.find('#') != std::string_view::npos) return refused("it has a fragment");
  // Boost.URL 1.81 asserts on some URLs of other schemes; those are of no use here anyway.
  if (!has_scheme(text, "https://") && !has_scheme(text, "http://")) {
    return refused("it is neither https nor http");
  }
  const auto view = urls::parse_uri({text.data(), text.size()});
  if (!view) return refused("it is no absolute URL");
  return checked(*view);
}

std::expected<Url, std::string> resolve_location(const Url& base, std::string_view location) {
  if (location.empty()) return refused("it is empty");
  if (location.size() > kMaxUrlBytes) return refused("it is longer than 8 KiB");
  const std::string scheme = base.tls ? "https:" : "http:";
  const std::string origin = scheme + "//" + base.authority();
  if (location.starts_with("//")) return parse_url(scheme + std::string(location));
  if (location.starts_with('/')) return parse_url(origin + std::string(location));
  // A colon before any slash and question mark ends a scheme.
  const std::size_t mark = location.find_first_of(":/?#");
  if (mark != std::string_view::npos && location[mark] == ':') return parse_url(location);
  const std::string path = base.target.substr(0, base.target.find('?'));
  if (location.starts_with('?')) return parse_url(origin + path + std::string(location));
  std::string directory = path.substr(0, path.rfind('/'));
  while (location.starts_with("./") || location.starts_with("../")) {
    const bool up = location.starts_with("../");
    if (up) directory.resize(std::min(directory.rfind('/'), directory.size()));
    location.remove_prefix(up ? 3 : 2);
  }
  return parse_url(origin + directory + "/" + std::string(location));
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (policy::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 0xFU];
  }
  return encoded;
}

}  // namespace plimsoll::webhook::net
