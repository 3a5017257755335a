#include "webhook/registry/credentials.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "policy/ascii.h"
#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/net/base64.h"
#include "webhook/registry/host_glob.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using policy::Error;
using policy::ErrorKind;

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

// kubernetes pkg/credentialprovider/keyring.go: the key without scheme, /v1/ and /v2/.
CredentialEntry entry_of(std::string_view key, Credential credential) {
  CredentialEntry entry;
  entry.credential = std::move(credential);
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  const std::size_t slash = std::min(key.find('/'), key.size());
  std::string_view path = key.substr(slash);
  if (path.starts_with("/v1/") || path.starts_with("/v2/")) path.remove_prefix(3);
  if (path == "/") path = {};
  const HostAndPort host = split_host(key.substr(0, slash));
  entry.host = host.host;
  entry.port = host.port;
  entry.path = path;
  entry.key = std::string(key.substr(0, slash)) + std::string(path);
  return entry;
}

std::string text_of(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return std::string(text.value_or(""));
}

policy::Result<Credential> read_credential(std::string_view key,
                                           const json::Object& object,
                                           CredentialSource source) {
  Credential credential{text_of(object, "username"), text_of(object, "password"), "", ""};
  const std::string auth = text_of(object, "auth");
  if (!auth.empty()) {
    const auto decoded = net::decode_base64(auth);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return wrong(
          fmt::format("auth of {} is not the base64 of user:password", policy::quoted(key)));
    }
    credential.user = decoded->substr(0, colon);
    credential.secret = decoded->substr(colon + 1);
  }
  if (source == CredentialSource::kOwn) {
    credential.identity_token = text_of(object, "identitytoken");
    credential.registry_token = text_of(object, "registrytoken");
  }
  return credential;
}

// The index of Docker Hub also answers for images that name no registry.
bool is_default_registry(std::string_view domain) {
  return domain == "docker.io" || domain == "index.docker.io";
}

bool fits(const CredentialEntry& entry,
          std::string_view domain,
          std::string_view path,
          CredentialSource source) {
  const HostAndPort host = split_host(domain);
  if (entry.port != host.port || !host_matches(entry.host, host.host)) return false;
  const std::string full = "/" + std::string(path);
  if (!full.starts_with(entry.path)) return false;
  // The kubelet compares plain prefixes; what is ours does not go to "acme-evil" for "acme".
  const bool at_slash = entry.path.empty() || entry.path.ends_with('/') ||
                        full.size() == entry.path.size() || full[entry.path.size()] == '/';
  return at_slash || source == CredentialSource::kPullSecret;
}

std::string process_key() {
  static const std::string key = [] {
    std::array<unsigned char, 32> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    return std::string(bytes.begin(), bytes.end());
  }();
  return key;
}

}  // namespace

std::string Credential::fingerprint() const {
  if (is_anonymous()) return "";
  std::string all;
  for (const std::string* part : {&user, &secret, &identity_token, &registry_token}) {
    all += std::to_string(part->size()) + ":" + *part;
  }
  const std::string key = process_key();
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(),
       key.data(),
       static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(all.data()),
       all.size(),
       mac.data(),
       &length);
  constexpr std::size_t kBytes = 8;
  std::string text;
  for (std::size_t i = 0; i < kBytes; ++i) text += fmt::format("{:02x}", mac[i]);
  return text;
}

policy::Result<Keyring> Keyring::read(std::string_view text, CredentialSource source) {
  if (text.size() > kMaxCredentialBytes) return wrong("it is larger than 1 MiB");
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return wrong("it is not valid JSON");
  const auto object = json::as_object(root);
  if (!object) return wrong("it must be a JSON object");
  Keyring keyring;
  keyring.source_ = source;
  const auto member = json::last_member(*object, "auths");
  auto auths = member ? json::as_object(*member) : std::nullopt;
  if (member && !auths && !member->is_null()) return wrong("auths must be an object");
  if (!member && source == CredentialSource::kPullSecret) auths = object;
  if (!text_of(*object, "credsStore").empty()) {
    keyring.helpers_.push_back(text_of(*object, "credsStore"));
  }
  const auto helpers_member = json::last_member(*object, "credHelpers");
  const auto helpers = helpers_member ? json::as_object(*helpers_member) : std::nullopt;
  if (helpers) {
    for (const auto& [key, value] : *helpers) {
      keyring.helpers_.emplace_back(json::as_text(value).value_or(""));
    }
  }
  if (!auths) return keyring;
  if (auths->size() > kMaxEntries) return wrong("it has more than 1,000 entries");
  for (const auto& [key, value] : *auths) {
    const auto entry = json::as_object(value);
    if (!entry) return wrong(fmt::format("the entry {} must be an object", policy::quoted(key)));
    auto credential = read_credential(key, *entry, source);
    if (!credential) return std::unexpected(credential.error());
    if (credential->is_anonymous()) continue;
    keyring.insert(entry_of(key, *std::move(credential)));
  }
  return keyring;
}

// Behind those of the same key: of two files the first one's is tried first.
void Keyring::insert(CredentialEntry entry) {
  const auto smaller = [&entry](const CredentialEntry& other) { return other.key < entry.key; };
  const auto at = std::ranges::find_if(entries_, smaller);
  entries_.insert(at, std::move(entry));
}

void Keyring::add(Keyring other) {
  for (CredentialEntry& entry : other.entries_) insert(std::move(entry));
  for (std::string& helper : other.helpers_) helpers_.push_back(std::move(helper));
}

std::vector<const CredentialEntry*> Keyring::candidates(std::string_view domain,
                                                        std::string_view path) const {
  std::vector<const CredentialEntry*> found;
  for (const CredentialEntry& entry : entries_) {
    if (fits(entry, domain, path, source_)) found.push_back(&entry);
  }
  if (!found.empty() || !is_default_registry(domain)) return found;
  for (const CredentialEntry& entry : entries_) {
    const bool index = entry.key == "index.docker.io" || entry.key == "index.docker.io/";
    if (index) found.push_back(&entry);
  }
  return found;
}

}  // namespace plimsoll::webhook::registry
