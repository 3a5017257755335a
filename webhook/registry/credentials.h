// Credentials for registries: read from Docker's config.json, found by the kubelet's rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxCredentialBytes = 1u << 20U;  // of one file
inline constexpr std::size_t kMaxEntries = 1'000;              // of one file

// Never printed, never logged.
struct Credential {
  std::string user;
  std::string secret;
  std::string identity_token;
  std::string registry_token;

  bool is_anonymous() const {
    return user.empty() && secret.empty() && identity_token.empty() && registry_token.empty();
  }
  // Tells credentials apart without holding them: keyed with a number of this process. "" is
  // nobody's.
  std::string fingerprint() const;
};

struct CredentialEntry {
  std::string key;   // as written, without scheme: for sorting and for `explain`
  std::string host;  // without port; globs within its labels
  std::string port;  // as text; empty: none
  std::string path;  // with its leading slash; empty: any
  Credential credential;
};

// Whose file it is decides what counts in it.
enum class CredentialSource : std::uint8_t {
  kOwn,        // of whoever runs us: identity tokens count, paths end at slashes
  kPullSecret  // of a pod: exactly what the kubelet would see in it
};

class Keyring {
 public:
  explicit Keyring(CredentialSource source = CredentialSource::kOwn) : source_(source) {}

  // A config.json ({"auths": {...}}) or, of pull secrets, the old .dockercfg. The error says what
  // is wrong and where, never a value.
  static policy::Result<Keyring> read(std::string_view json, CredentialSource source);

  void add(Keyring other);
  bool empty() const { return entries_.empty(); }

  // Entries that fit the image, the longest key first; several may have to be tried. `domain` and
  // `path` as ImageReference::repository() has them ("docker.io", "library/ubuntu").
  std::vector<const CredentialEntry*> candidates(std::string_view domain,
                                                 std::string_view path) const;

  // Helpers that the file wants to have asked ("credsStore", "credHelpers"): they are not run.
  const std::vector<std::string>& helpers() const { return helpers_; }

 private:
  void insert(CredentialEntry entry);

  std::vector<CredentialEntry> entries_;  // in reverse order of their keys
  std::vector<std::string> helpers_;
  CredentialSource source_;
};

}  // namespace plimsoll::webhook::registry
