#include "webhook/net/url.h"

#include <algorithm>
#include <charconv>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
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
  if (view.has_fragment()) return refused("it has a fragment");
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
  const auto view = urls::parse_uri({text.data(), text.size()});
  if (!view) return refused("it is no absolute URL");
  return checked(*view);
}

std::expected<Url, std::string> resolve_location(const Url& base, std::string_view location) {
  if (location.empty()) return refused("it is empty");
  if (location.size() > kMaxUrlBytes) return refused("it is longer than 8 KiB");
  if (!is_clean(location)) return refused("it has blanks or control characters in it");
  const auto reference = urls::parse_uri_reference({location.data(), location.size()});
  if (!reference) return refused("it is no URL");
  const std::string from = (base.tls ? "https://" : "http://") + base.authority() + base.target;
  const auto absolute = urls::parse_uri(from);
  if (!absolute) return refused("it cannot be resolved");
  urls::url target;
  if (!urls::resolve(*absolute, *reference, target)) return refused("it cannot be resolved");
  return checked(target);
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
