// What we have been told of registries: whom to ask, by which way, with which credentials.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"
#include "policy/image_reference.h"
#include "policy/result.h"
#include "webhook/net/client_tls.h"
#include "webhook/net/fetch.h"
#include "webhook/registry/credentials.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxRegistryFileBytes = 1u << 20U;

// One host of `spec.registries`.
struct RegistryHost {
  std::string host;  // "registry.corp:5000", as ImageReference::host_key() has it
  bool private_addresses = false;
  bool plain_http = false;
  std::string ca_file;
  std::vector<net::Url> mirrors;          // tried in order before the registry itself
  std::vector<std::string> token_realms;  // hosts that its credentials may be sent to
  std::shared_ptr<const net::ClientTls> tls;
};

// The document of --registries.
struct RegistryConfig {
  std::vector<std::string> allow;  // globs over host_key(); empty: every registry may be asked
  std::vector<policy::Platform> platforms;    // that are judged where a pod says nothing
  std::vector<std::string> credential_files;  // Docker's config.json
  std::vector<RegistryHost> hosts;
};

// Each error is a line `file:line:column: what`.
std::expected<RegistryConfig, std::vector<std::string>> parse_registry_config(
    std::string_view name, std::string_view text);

// Where an image can be asked for.
struct Endpoint {
  net::Url base;  // its target is what stands before the repository: "/v2/"
  net::ServerAccess access;
  std::string host_key;    // whose credentials and trusted realms count
  std::string name_space;  // "docker.io", for mirrors that serve several; empty: the registry
  bool plain_http = false;
};

// What the path of an image's requests is made of.
struct Repository {
  std::string domain;    // "docker.io", "Registry.corp:5000", as the reference has it
  std::string path;      // "library/ubuntu"
  std::string host_key;  // "docker.io"

  static Repository of(const policy::ImageReference& reference);
  std::string text() const { return domain + "/" + path; }
};

// A configuration with its files read. Never changed once made; readable from any thread.
class Registries {
 public:
  // `files`: reads a file, or says why not. Authorities and credentials are read with it. The lines
  // say what is wrong.
  using FileReader = policy::Result<std::string> (*)(const std::string& path);
  static std::expected<std::shared_ptr<const Registries>, std::vector<std::string>> make(
      RegistryConfig config, FileReader files);

  // Whether the registry may be asked at all.
  bool allows(std::string_view host_key) const;
  // Mirrors first, the registry itself last. The error is a clause: a host that is none.
  std::expected<std::vector<Endpoint>, std::string> endpoints(const Repository& repository) const;
  // How a server is approached that an answer of `from` points to.
  net::ServerAccess access_of(const net::Url& url) const;
  // Credentials of registry `host_key` may be sent to `realm`.
  bool trusts_realm(const Endpoint& from, const net::Url& realm) const;

  // Those that fit, in the order in which they are to be tried.
  std::vector<const CredentialEntry*> credentials(std::string_view domain,
                                                  std::string_view path) const;
  const Keyring& keyring() const { return keyring_; }
  const std::vector<policy::Platform>& platforms() const { return config_.platforms; }
  const RegistryConfig& config() const { return config_; }

  // The same with one host more that may have private addresses: what a person has typed.
  std::shared_ptr<const Registries> with_host(const std::string& host_key, bool plain_http) const;
  // The same with these credentials before the own ones.
  std::shared_ptr<const Registries> on_behalf_of(std::shared_ptr<const Keyring> keyring) const;

 private:
  const RegistryHost* find(std::string_view host_key) const;

  RegistryConfig config_;
  Keyring keyring_;
  std::shared_ptr<const Keyring> behalf_;  // of the pod that is asked for; nullptr: nobody's
  std::shared_ptr<const net::ClientTls> system_tls_;
};

// The host as an URL: docker.io is registry-1.docker.io. The error is a clause.
std::expected<net::Url, std::string> api_url(std::string_view domain, bool plain_http);

// Reads at most kMaxRegistryFileBytes of a file.
policy::Result<std::string> read_small_file(const std::string& path);

}  // namespace plimsoll::webhook::registry
