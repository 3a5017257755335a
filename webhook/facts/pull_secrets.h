// Credentials that pods pull with: the pull secrets that they name, or their service account's, by
// the kubelet's rules. Only of namespaces that whoever runs us has listed.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "policy/workload.h"
#include "webhook/cluster/api_thread.h"
#include "webhook/cluster/collection.h"
#include "webhook/cluster/flights.h"
#include "webhook/facts/fact_request.h"

namespace plimsoll::webhook::facts {

inline constexpr std::chrono::seconds kSecretsFresh{60};
inline constexpr std::chrono::seconds kSecretsFailed{10};  // after which a failure is tried again
inline constexpr std::size_t kMaxSecretSets = 2'000;
inline constexpr std::size_t kMaxSecretsOfPod = 16;
inline constexpr std::size_t kMaxSecretSetsAsked = 64;  // at the same time

// What a pod says of its credentials.
struct PullSecretNames {
  std::string name_space;
  std::vector<std::string> secrets;  // of the pod; empty: the service account's count
  std::string service_account;       // "default" where the pod names none

  static PullSecretNames of(const policy::Workload& workload, std::string_view name_space);
  std::string key() const;
};

// `find` and `ask` may be called from any thread. Outlives the thread that it adds its tasks to.
class PullSecrets {
 public:
  PullSecrets(cluster::ApiThread& thread, std::vector<std::string> namespaces, telemetry::Log& log)
      : thread_(thread), namespaces_(std::move(namespaces)), log_(log) {}

  // Whether pods of that namespace are looked up with their own credentials.
  bool covers(std::string_view name_space) const;

  // nullptr: not known, or not any more. What could not be read counts as absent, as it does for a
  // kubelet.
  PodCredentialsPointer find(const PullSecretNames& names) const;
  // `ready` is called on the API's thread; at once where too many are asked for already.
  void ask(PullSecretNames names, net::Deadline deadline, std::function<void()> ready);

 private:
  struct Known {
    PodCredentialsPointer credentials;
    net::Clock::time_point until;
  };
  struct Reading;

  boost::asio::awaitable<void> look_up(PullSecretNames names, net::Deadline deadline);
  boost::asio::awaitable<void> read_account(Reading& reading);
  boost::asio::awaitable<void> read_secret(Reading& reading, std::string name);
  void remember(Reading reading);
  boost::asio::awaitable<std::string> get(Reading& reading, std::string kind, std::string name);

  cluster::ApiThread& thread_;
  const std::vector<std::string> namespaces_;
  telemetry::Log& log_;
  cluster::Flights flights_{kMaxSecretSetsAsked};
  mutable std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace plimsoll::webhook::facts
