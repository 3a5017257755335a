// Keeps plimsoll's own house: certificates that never run out, a webhook configuration that trusts
// them and says what it should.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "webhook/certificates/rotation.h"
#include "webhook/cluster/api_thread.h"
#include "webhook/cluster/nudge.h"
#include "webhook/cluster/reflector.h"
#include "webhook/controller/event_recorder.h"
#include "webhook/controller/webhook_configuration.h"

namespace plimsoll::webhook::controller {

enum class CertificateMode : std::uint8_t {
  kSelfManaged,  // made and renewed here, in the Secret
  kExisting,     // the Secret is somebody else's: never written; its ca.crt is what is trusted
  kCertManager,  // nor is the caBundle: cert-manager's injector keeps it
};

struct HouseOptions {
  std::string name_space;
  std::string secret;
  CertificateMode mode = CertificateMode::kSelfManaged;
  certificates::Terms terms;
};

// Outlives the thread that it adds its tasks to. Writes only while `leads` says so.
class HouseKeeper final : private cluster::Observer {
 public:
  HouseKeeper(cluster::ApiThread& thread,
              cluster::WatchTimes times,
              HouseOptions options,
              WantedConfiguration wanted,
              std::function<bool()> leads,
              EventRecorder& events,
              telemetry::Log& log);
  HouseKeeper(const HouseKeeper&) = delete;
  HouseKeeper& operator=(const HouseKeeper&) = delete;

  // For metrics and /readyz; from any thread.
  double serving_days_left() const;    // not a number where there is no certificate
  double authority_days_left() const;  // of the authority that ends first of those in use
  bool is_in_order() const { return is_in_order_; }  // it was once, so certificates are trusted
  bool configuration_is_right() const { return configuration_is_right_; }
  bool is_unmanaged() const { return is_unmanaged_; }
  bool is_other_revision() const { return is_other_revision_; }
  std::uint64_t heals() const { return heals_; }
  std::uint64_t renewals() const { return renewals_; }
  std::string trouble() const;

 private:
  // Why a round ended.
  enum class Round : std::uint8_t { kDone, kAgain, kFailed };
  struct Secret {
    bool exists = false;
    std::string resource_version;
    std::map<std::string, std::string> data;
  };

  void begin() override {}
  void put(const policy::json::Object&) override { changed_.give(); }
  void removed(const policy::json::Object&) override { changed_.give(); }
  void listed() override { changed_.give(); }

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<Round> round(std::chrono::seconds* until_look);
  boost::asio::awaitable<std::expected<Secret, cluster::ApiError>> read_secret();
  boost::asio::awaitable<std::expected<std::string, cluster::ApiError>> read_configuration();
  boost::asio::awaitable<Round> renew(Secret secret,
                                      std::string live,
                                      std::chrono::seconds* until_look);
  void tell_unmanaged();
  boost::asio::awaitable<void> rest_after_write(std::string what);
  boost::asio::awaitable<Round> heal(std::string live, std::optional<std::string> bundle);
  boost::asio::awaitable<bool> write_secret(Secret before, certificates::Step step);
  void note_certificates(const Secret& secret);
  Round fail(std::string what);
  void forget_trouble();
  ObjectReference configuration_reference() const;
  ObjectReference secret_reference() const;

  cluster::ApiThread& thread_;
  HouseOptions options_;
  WantedConfiguration wanted_;
  std::function<bool()> leads_;
  EventRecorder& events_;
  telemetry::Log& log_;
  cluster::Nudge changed_;
  cluster::Reflector configuration_reflector_;
  std::atomic<std::int64_t> serving_ends_{0};  // seconds since 1970; 0: there is none
  std::atomic<std::int64_t> authority_ends_{0};
  std::atomic<bool> is_in_order_{false};
  std::atomic<bool> configuration_is_right_{false};
  std::atomic<std::uint64_t> heals_{0};
  std::atomic<std::uint64_t> renewals_{0};
  std::atomic<bool> is_unmanaged_{false};
  std::atomic<bool> is_other_revision_{false};
  unsigned fights_ = 0;  // changes of the configuration undone, each soon after the one before
  net::Clock::time_point written_at_;
  std::optional<std::string> written_bundle_;
  std::string told_waiting_;
  mutable std::mutex mutex_;
  std::string trouble_;
};

}  // namespace plimsoll::webhook::controller
