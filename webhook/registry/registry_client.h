// Asks registries for manifests and blobs (opencontainers/distribution-spec), with credentials,
// mirrors and redirects; what it hands out has the digest that it should have.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "policy/unknown.h"
#include "webhook/net/http_client.h"
#include "webhook/registry/challenge.h"
#include "webhook/registry/host_governor.h"
#include "webhook/registry/registries.h"
#include "webhook/registry/token_source.h"

namespace plimsoll::webhook::registry {

// One request as it went, for logs and metrics: no secrets, no queries.
struct RequestNote {
  std::string url;
  std::string_view operation;  // "HEAD manifest", "GET manifest", "GET blob", "token"
  unsigned status = 0;         // 0: no answer
  std::string_view reason;     // of a failure, the word of a policy::UnknownReason; else empty
  std::chrono::milliseconds took{0};
  std::size_t bytes = 0;
};

// What one look-up asks on behalf of; shared by all of its requests.
struct Asking {
  std::shared_ptr<const Registries> registries;
  Repository repository;
  net::Deadline deadline;
  // Told every step in a sentence, for `plimsoll explain`; may be empty.
  std::function<void(const std::string&)> trace;
  // Tells apart those whose credentials `registries` has; what was read for one proves nothing for
  // another.
  std::string identity = {};
};
using AskingPointer = std::shared_ptr<const Asking>;

struct ServedManifest {
  std::string digest;  // of HEAD: as the registry says, a hint, may be empty
  std::string content_type;
  std::string bytes;  // empty for HEAD
};

// Used on one thread; outlives its coroutines.
class RegistryClient {
 public:
  using Observer = std::function<void(const RequestNote&)>;
  RegistryClient(boost::asio::io_context& io,
                 net::HttpClient& http,
                 GovernorOptions governor,
                 Observer observer);

  // `reference` is a tag or a digest. HEAD does not count as a pull anywhere.
  boost::asio::awaitable<policy::Fact<ServedManifest>> head(AskingPointer asking,
                                                            std::string reference);
  boost::asio::awaitable<policy::Fact<ServedManifest>> manifest(AskingPointer asking,
                                                                std::string reference);
  boost::asio::awaitable<policy::Fact<std::string>> blob(AskingPointer asking,
                                                         std::string digest,
                                                         std::uint64_t limit);
  // Passes the blob on piece by piece. The digest is checked at the end: what was passed on counts
  // only then. No limit in time but the asking's deadline, and 30 s without a byte.
  boost::asio::awaitable<policy::Fact<void>> stream(AskingPointer asking,
                                                    std::string digest,
                                                    net::BodySink sink);

  const HostGovernor& governor() const { return governor_; }

 private:
  struct Call;
  struct Permit;

  boost::asio::awaitable<policy::Fact<net::FetchAnswer>> call(AskingPointer asking, Call call);
  boost::asio::awaitable<policy::Fact<net::FetchAnswer>> call_endpoint(AskingPointer asking,
                                                                       Endpoint endpoint,
                                                                       Call call);
  boost::asio::awaitable<policy::Fact<net::FetchAnswer>> call_as(AskingPointer asking,
                                                                 Endpoint endpoint,
                                                                 Call call,
                                                                 Credential credential);
  boost::asio::awaitable<policy::Fact<Permit>> permit(AskingPointer asking,
                                                      Endpoint endpoint,
                                                      Credential credential);
  boost::asio::awaitable<policy::Fact<net::FetchAnswer>> follow(AskingPointer asking,
                                                                Endpoint endpoint,
                                                                Call call,
                                                                std::string authorization);
  boost::asio::awaitable<net::FetchResult> governed(AskingPointer asking,
                                                    net::FetchRequest request,
                                                    std::string_view operation);
  RequestNote note(const net::Url& url,
                   const net::FetchResult& result,
                   std::string_view operation,
                   net::Clock::time_point began) const;
  static std::string challenge_key(const Endpoint& endpoint, const Repository& repository);

  net::HttpClient& http_;
  HostGovernor governor_;
  TokenSource tokens_;
  Observer observer_;
  std::map<std::string, Challenge> challenges_;  // what each repository asked for the last time
};

}  // namespace plimsoll::webhook::registry
