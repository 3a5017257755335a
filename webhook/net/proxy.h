// Which proxy a request goes through, as the environment says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::net {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  // value of Proxy-Authorization; empty: none. A secret
};

// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, each in lower case, too (lower case wins). NO_PROXY: "*",
// host names (and what is below them), ".suffixes", addresses, CIDR ranges, each with or without a
// port, between commas.
class ProxySettings {
 public:
  // Without any proxy.
  ProxySettings() = default;
  using Variable = std::function<std::optional<std::string>(const char* name)>;
  // An error where a variable cannot be understood, without its value.
  static policy::Result<ProxySettings> from(const Variable& variable);

  // nullptr: directly.
  const Proxy* proxy_for(const Url& url) const;

 private:
  bool excepted(const Url& url) const;

  std::optional<Proxy> for_tls_;
  std::optional<Proxy> for_plain_;
  std::vector<std::string> exceptions_;
};

}  // namespace plimsoll::webhook::net
