#include "webhook/registry/registries.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "policy/ascii.h"
#include "policy/pattern.h"

namespace plimsoll::webhook::registry {
namespace {

using policy::Error;
using policy::ErrorKind;

constexpr std::string_view kDockerHub = "docker.io";

// The services that hand out tokens for registries of another name, as their documentation says.
struct KnownRealm {
  std::string_view registry;
  std::string_view realm;
};
constexpr std::array<KnownRealm, 4> kKnownRealms = {{
    {"docker.io", "auth.docker.io"},
    {"registry.gitlab.com", "gitlab.com"},
    {"registry.redhat.io", "sso.redhat.com"},
    {"registry.access.redhat.com", "registry.redhat.io"},
}};

std::string host_of(const net::Url& url) {
  return url.authority();
}

}  // namespace

Repository Repository::of(const policy::ImageReference& reference) {
  Repository repository;
  repository.domain = reference.domain;
  repository.path = (reference.library ? "library/" : "") + std::string(reference.path);
  repository.host_key = reference.host_key();
  return repository;
}

policy::Result<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(Error{ErrorKind::kNotFound, path + ": cannot be opened"});
  std::string text(kMaxRegistryFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::unexpected(Error{ErrorKind::kUnavailable, path + ": cannot be read"});
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() <= kMaxRegistryFileBytes) return text;
  return std::unexpected(Error{ErrorKind::kTooLarge, path + ": larger than 1 MiB"});
}

std::expected<net::Url, std::string> api_url(std::string_view domain, bool plain_http) {
  std::string host;
  for (const char c : domain) host += policy::to_lower(c);
  if (host == kDockerHub) host = "registry-1.docker.io";
  return net::parse_url((plain_http ? "http://" : "https://") + host + "/v2/");
}

std::expected<std::shared_ptr<const Registries>, std::vector<std::string>> Registries::make(
    RegistryConfig config, FileReader files) {
  auto registries = std::make_shared<Registries>();
  std::vector<std::string> errors;
  const auto system = net::ClientTls::make({});
  if (system) registries->system_tls_ = *system;
  for (RegistryHost& host : config.hosts) {
    if (host.ca_file.empty()) continue;
    const auto text = files(host.ca_file);
    if (!text) {
      errors.push_back(text.error().message);
      continue;
    }
    auto tls = net::ClientTls::make({.authorities = *text});
    if (tls) {
      host.tls = *tls;
    } else {
      errors.push_back(host.ca_file + ": " + tls.error().message);
    }
  }
  for (const std::string& path : config.credential_files) {
    const auto text = files(path);
    if (!text) {
      errors.push_back(text.error().message);
      continue;
    }
    auto keyring = Keyring::read(*text, CredentialSource::kOwn);
    if (keyring) {
      registries->keyring_.add(*std::move(keyring));
    } else {
      errors.push_back(path + ": " + keyring.error().message);
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  registries->config_ = std::move(config);
  return registries;
}

const RegistryHost* Registries::find(std::string_view host_key) const {
  const auto at = std::ranges::find(config_.hosts, host_key, &RegistryHost::host);
  return at == config_.hosts.end() ? nullptr : &*at;
}

bool Registries::allows(std::string_view host_key) const {
  return config_.allow.empty() || find(host_key) != nullptr ||
         policy::any_glob_matches(config_.allow, host_key);
}

net::ServerAccess Registries::access_of(const net::Url& url) const {
  net::ServerAccess access;
  std::string key = host_of(url);
  if (key == "registry-1.docker.io") key = kDockerHub;
  const RegistryHost* host = find(key);
  const bool allowed = !config_.allow.empty() && policy::any_glob_matches(config_.allow, key);
  access.configured = host != nullptr ? host->private_addresses : false;
  access.named = host != nullptr || allowed;
  access.tls = host != nullptr && host->tls ? host->tls : system_tls_;
  return access;
}

std::expected<std::vector<Endpoint>, std::string> Registries::endpoints(
    const Repository& repository) const {
  std::vector<Endpoint> endpoints;
  const RegistryHost* host = find(repository.host_key);
  const auto add = [this, &endpoints](const net::Url& base, std::string name_space) {
    Endpoint endpoint;
    endpoint.base = base;
    endpoint.access = access_of(base);
    endpoint.host_key = host_of(base);
    endpoint.name_space = std::move(name_space);
    endpoint.plain_http = !base.tls;
    endpoints.push_back(std::move(endpoint));
  };
  if (host != nullptr) {
    for (const net::Url& mirror : host->mirrors) add(mirror, repository.host_key);
  }
  const auto own = api_url(repository.domain, host != nullptr && host->plain_http);
  if (!own) return std::unexpected(own.error());
  add(*own, "");
  endpoints.back().host_key = repository.host_key;
  return endpoints;
}

bool Registries::trusts_realm(const Endpoint& from, const net::Url& realm) const {
  if (realm.same_server(from.base)) return true;
  const std::string host = host_of(realm);
  const RegistryHost* configured = find(from.host_key);
  if (configured != nullptr) {
    const auto& realms = configured->token_realms;
    if (std::ranges::find(realms, host) != realms.end()) return true;
  }
  return std::ranges::any_of(kKnownRealms, [&from, &host](const KnownRealm& known) {
    return known.registry == from.host_key && known.realm == host;
  });
}

std::shared_ptr<const Registries> Registries::with_host(const std::string& host_key,
                                                        bool plain_http) const {
  auto copy = std::make_shared<Registries>(*this);
  const auto at = std::ranges::find(copy->config_.hosts, host_key, &RegistryHost::host);
  RegistryHost& host = at == copy->config_.hosts.end() ? copy->config_.hosts.emplace_back() : *at;
  host.host = host_key;
  host.private_addresses = true;
  host.plain_http = host.plain_http || plain_http;
  return copy;
}

std::shared_ptr<const Registries> Registries::on_behalf_of(
    std::shared_ptr<const Keyring> keyring) const {
  auto copy = std::make_shared<Registries>(*this);
  copy->behalf_ = std::move(keyring);
  return copy;
}

std::vector<const CredentialEntry*> Registries::credentials(std::string_view domain,
                                                            std::string_view path) const {
  std::vector<const CredentialEntry*> entries;
  if (behalf_ != nullptr) entries = behalf_->candidates(domain, path);
  for (const CredentialEntry* entry : keyring_.candidates(domain, path)) entries.push_back(entry);
  return entries;
}

}  // namespace plimsoll::webhook::registry
