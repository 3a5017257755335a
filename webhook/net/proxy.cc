#include "webhook/net/proxy.h"

#include <charconv>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "policy/ascii.h"
#include "webhook/net/base64.h"

namespace plimsoll::webhook::net {
namespace {

namespace ip = boost::asio::ip;

std::string lower(std::string_view text) {
  std::string lowered;
  for (const char c : text) lowered += policy::to_lower(c);
  return lowered;
}

policy::Result<std::optional<Proxy>> read_proxy(const ProxySettings::Variable& variable,
                                                const char* lower_name,
                                                const char* upper_name) {
  const char* name = lower_name;
  std::optional<std::string> value = variable(lower_name);
  if (!value || value->empty()) {
    name = upper_name;
    value = variable(upper_name);
  }
  if (!value || value->empty()) return std::nullopt;
  if (value->find("://") == std::string::npos) value = "http://" + *value;
  const auto url = boost::urls::parse_uri(*value);
  const bool fine = url && url->scheme_id() == boost::urls::scheme::http &&
                    !url->host_address().empty() && (!url->has_port() || url->port_number() != 0);
  if (!fine) {
    return std::unexpected(
        policy::Error{policy::ErrorKind::kInvalidInput,
                      std::string(name) + " must be the address of a proxy, http://host:port"});
  }
  constexpr std::uint16_t kDefaultPort = 80;
  Proxy proxy{lower(url->host_address()), url->has_port() ? url->port_number() : kDefaultPort, ""};
  if (url->has_userinfo()) {
    proxy.authorization = "Basic " + encode_base64(url->user() + ":" + url->password());
  }
  return proxy;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> entries;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view entry = list.substr(0, comma);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (!entry.empty()) entries.push_back(lower(entry));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return entries;
}

bool in_range(const std::string& range, const ip::address& address) {
  boost::system::error_code error;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(range, error);
    return !error && network.canonical() ==
                         ip::network_v4(address.to_v4(), network.prefix_length()).canonical();
  }
  const auto network = ip::make_network_v6(range, error);
  return !error && network.canonical() ==
                       ip::network_v6(address.to_v6(), network.prefix_length()).canonical();
}

// Takes ":443" off the end of a name; the port, or 0.
std::uint16_t take_port(std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string::npos || entry.find(':') != colon) return 0;
  std::uint16_t port = 0;
  const char* end = entry.data() + entry.size();
  const auto read = std::from_chars(entry.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end) return 0;
  entry.resize(colon);
  return port;
}

bool names(std::string entry, const Url& url) {
  if (entry == "*") return true;
  boost::system::error_code error;
  const ip::address address = ip::make_address(url.host, error);
  if (!error && entry.find('/') != std::string::npos) return in_range(entry, address);
  const std::uint16_t port = take_port(entry);
  if (port != 0 && port != url.port) return false;
  if (!error) return entry == url.host;
  if (entry.starts_with("*.")) entry.erase(0, 1);
  if (entry.starts_with('.')) return url.host.ends_with(entry) || entry.substr(1) == url.host;
  return url.host == entry || url.host.ends_with("." + entry);
}

}  // namespace

policy::Result<ProxySettings> ProxySettings::from(const Variable& variable) {
  ProxySettings settings;
  auto tls = read_proxy(variable, "https_proxy", "HTTPS_PROXY");
  if (!tls) return std::unexpected(tls.error());
  auto plain = read_proxy(variable, "http_proxy", "HTTP_PROXY");
  if (!plain) return std::unexpected(plain.error());
  settings.for_tls_ = *tls;
  settings.for_plain_ = *plain;
  auto list = variable("no_proxy");
  if (!list || list->empty()) list = variable("NO_PROXY");
  if (list) settings.exceptions_ = split(*list);
  return settings;
}

bool ProxySettings::excepted(const Url& url) const {
  for (const std::string& entry : exceptions_) {
    if (names(entry, url)) return true;
  }
  return false;
}

const Proxy* ProxySettings::proxy_for(const Url& url) const {
  const std::optional<Proxy>& proxy = url.tls ? for_tls_ : for_plain_;
  return proxy && !excepted(url) ? &*proxy : nullptr;
}

}  // namespace plimsoll::webhook::net
