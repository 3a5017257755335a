// Where the API server is and who we are to it: from a pod's service account, or a kubeconfig.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "webhook/cluster/exec_credential.h"
#include "webhook/net/fetch.h"

namespace plimsoll::webhook::cluster {

inline constexpr std::size_t kMaxAccessFileBytes = 1u << 20U;
inline constexpr std::string_view kServiceAccountDirectory =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// A text that stands in the configuration itself or in a file, which may change.
struct TextSource {
  std::string text;
  std::string file;  // wins where both are there

  bool empty() const { return text.empty() && file.empty(); }
};

// How to reach the API server, as configured.
struct AccessConfig {
  net::Url server;         // its target is the prefix of every path, "" for none
  std::string tls_name;    // that its certificate is for; empty: the server's host
  TextSource authorities;  // PEM; empty: the system's
  TextSource certificate;  // of ourselves, PEM
  TextSource key;
  TextSource token;
  std::optional<ExecCommand> exec;  // makes token or certificate instead
  std::string name_space;           // of ourselves; may be empty
};

// From the environment and the files that Kubernetes gives every pod. The error says what is
// missing and what to do.
policy::Result<AccessConfig> in_cluster_access(
    const std::function<std::optional<std::string>(const char*)>& environment,
    const std::string& directory = std::string(kServiceAccountDirectory));

// What one request needs. Never changed once made.
struct Access {
  net::Url server;
  net::ServerAccess trust;
  std::string token;  // empty: none
};

// Reads the files again from time to time, since tokens and authorities rotate. Used by one thread.
class AccessSource {
 public:
  static policy::Result<std::unique_ptr<AccessSource>> make(AccessConfig config);

  // What was good last is kept where a file cannot be read.
  std::shared_ptr<const Access> current();
  // The API server did not know us: the files are read again before the next request.
  void distrust() {
    read_again_at_ = {};
    made_.reset();
  }

  // Why the files as they are now are not what is used; empty: they are.
  const std::string& trouble() const { return trouble_; }

  const AccessConfig& config() const { return config_; }

 private:
  struct Texts;

  explicit AccessSource(AccessConfig config) : config_(std::move(config)) {}
  policy::Result<void> read();
  policy::Result<void> read_texts(Texts& texts);
  policy::Result<void> run_program(Texts& texts);

  AccessConfig config_;
  std::shared_ptr<const Access> access_;
  std::string tls_seen_;  // what the TLS context was made from
  net::Clock::time_point read_again_at_;
  std::optional<ExecCredential> made_;  // by the program
  std::string trouble_;
};

}  // namespace plimsoll::webhook::cluster
