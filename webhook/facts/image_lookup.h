// From a reference to what is known of the image: asks only for what is wanted and not known yet.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "policy/image_facts.h"
#include "webhook/facts/content_cache.h"
#include "webhook/facts/fact_request.h"
#include "webhook/facts/gate.h"
#include "webhook/registry/registry_client.h"

namespace plimsoll::webhook::facts {

struct LookupOptions {
  std::size_t content_bytes = 64u << 20U;
  std::size_t most_tags = 20'000;
  std::size_t most_digests = 50'000;  // whose first sight is remembered
  std::size_t most_proofs = 10'000;
};

// Used on the client's thread; outlives its coroutines. Facts are kept by digest, tags for as long
// as lifetimes.h says; scan verdicts are not its business.
class ImageLookup {
 public:
  ImageLookup(boost::asio::any_io_executor executor,
              registry::RegistryClient& client,
              LookupOptions options);

  // `scan` of what comes back is unknown (kNoReport). `refresh`: the tag is asked for again even
  // where its digest counts as fresh. `registries` decides whom to ask and as whom.
  boost::asio::awaitable<policy::ImageFacts> look_up(
      std::shared_ptr<const registry::Registries> registries,
      FactRequest request,
      net::Deadline deadline,
      bool refresh,
      std::function<void(const std::string&)> trace);

  const ContentCache& content() const { return content_; }

 private:
  struct Tag {
    std::string digest;
    net::Clock::time_point checked;
    std::chrono::sys_seconds checked_at;
  };
  struct Top;

  boost::asio::awaitable<policy::Fact<Top>> resolve(registry::AskingPointer asking,
                                                    FactRequest request,
                                                    bool refresh);
  boost::asio::awaitable<policy::Fact<Content>> manifest(registry::AskingPointer asking,
                                                         std::string reference,
                                                         std::string* digest);
  boost::asio::awaitable<policy::Fact<std::shared_ptr<const registry::Index>>> flattened(
      registry::AskingPointer asking, std::shared_ptr<const registry::Index> index, unsigned depth);
  boost::asio::awaitable<policy::Fact<std::shared_ptr<const policy::Manifest>>> child(
      registry::AskingPointer asking,
      std::shared_ptr<const registry::Index> index,
      policy::Platform wanted);
  boost::asio::awaitable<policy::Fact<std::shared_ptr<const policy::ImageConfig>>> config(
      registry::AskingPointer asking, std::shared_ptr<const policy::Manifest> manifest);
  boost::asio::awaitable<policy::Fact<std::shared_ptr<const policy::ImageConfig>>> fetch_config(
      registry::AskingPointer asking, std::shared_ptr<const policy::Manifest> manifest);
  const Content* known(const registry::Asking& asking, const std::string& digest);
  void prove(const registry::Asking& asking);
  std::chrono::sys_seconds first_seen(const std::string& digest);

  registry::RegistryClient& client_;
  LookupOptions options_;
  ContentCache content_;
  Gate gate_;
  std::map<std::string, Tag> tags_;
  std::map<std::string, net::Clock::time_point> proofs_;  // repositories that were read, and when
  std::map<std::string, std::chrono::sys_seconds> first_seen_;
};

}  // namespace plimsoll::webhook::facts
