#include "webhook/facts/facts_service.h"

#include <exception>
#include <map>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "webhook/facts/fact_cache.h"
#include "webhook/facts/image_lookup.h"
#include "webhook/facts/scan_facts.h"
#include "webhook/net/http_client.h"
#include "webhook/registry/registry_client.h"

namespace plimsoll::webhook::facts {
namespace {

namespace asio = boost::asio;
using policy::ImageFacts;
using policy::Unknown;
using policy::UnknownReason;
using telemetry::LogLevel;

constexpr std::chrono::seconds kSweepPeriod{15};

registry::GovernorOptions governor_of(const FactsOptions& options) {
  registry::GovernorOptions governor;
  constexpr double kNoLimit = 1e9;
  const double rate = options.requests_per_second > 0 ? options.requests_per_second : kNoLimit;
  governor.requests_per_second = rate;
  governor.burst = 2 * rate;
  return governor;
}

}  // namespace

class FactsService::Impl {
 public:
  Impl(FactsOptions options,
       net::ProxySettings proxies,
       const net::Snapshot<registry::Registries>& registries,
       std::vector<const scan::VerdictSource*> sources,
       telemetry::Log* log)
      : options_(std::move(options)),
        registries_(registries),
        sources_(std::move(sources)),
        log_(log),
        cache_(options_.facts_bytes),
        http_(io_, {.user_agent = options_.user_agent}, std::move(proxies)),
        client_(io_,
                http_,
                governor_of(options_),
                [this](const registry::RequestNote& note) { observe(note); }),
        lookup_(io_.get_executor(), client_, {.content_bytes = options_.content_bytes}),
        sweep_timer_(io_),
        thread_([this] { io_.run(); }) {
    asio::post(io_, [this] { sweep(); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    io_.stop();
    thread_.join();
  }

  FactsPointer cached(const policy::ImageReference& reference,
                      const std::vector<policy::Platform>& platforms,
                      policy::FactSet facts,
                      const PodCredentialsPointer& credentials);
  void fetch(std::vector<FactRequest> requests,
             net::Deadline deadline,
             Receiver receiver,
             Trace trace);
  const FactsCounters& counters() const { return counters_; }
  CacheSizes cache_sizes() const {
    return {cache_.entries(), cache_.bytes(), cache_.hits(), cache_.misses(), cache_.stale()};
  }

 private:
  // Those who wait for one call of fetch().
  struct Party {
    explicit Party(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    Receiver receiver;
    std::vector<bool> served;
    std::size_t left = 0;
  };
  // One look-up that is under way, and who wants to know.
  struct Flight {
    std::vector<std::pair<std::shared_ptr<Party>, std::size_t>> waiting;
  };

  void sweep();
  void observe(const registry::RequestNote& note);
  void join(FactRequest request,
            const std::shared_ptr<Party>& party,
            std::size_t index,
            bool refresh,
            Trace trace);
  asio::awaitable<void> fly(FactRequest request, bool refresh, Trace trace);
  void land(const FactRequest& request, ImageFacts facts);
  void crash(const FactRequest& request);
  void serve(const std::shared_ptr<Party>& party, std::size_t index, FactsPointer facts);
  void time_out(const std::shared_ptr<Party>& party);
  FactsPointer with_scan(const std::string& key,
                         const std::string& reference,
                         const FactsPointer& facts,
                         std::uint64_t revision);
  static std::string flight_key(const FactRequest& request) {
    return cache_key(request.reference, request.platforms, request.identity) + " " +
           std::to_string(request.facts);
  }

  FactsOptions options_;
  const net::Snapshot<registry::Registries>& registries_;
  std::vector<const scan::VerdictSource*> sources_;
  telemetry::Log* log_;
  FactsCounters counters_;
  FactCache cache_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  net::HttpClient http_;
  registry::RegistryClient client_;
  ImageLookup lookup_;
  std::map<std::string, Flight> flights_;
  asio::steady_timer sweep_timer_;
  std::thread thread_;
};

void FactsService::Impl::sweep() {
  http_.sweep();
  counters_.open_breakers = client_.governor().open_breakers();
  sweep_timer_.expires_after(kSweepPeriod);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void FactsService::Impl::observe(const registry::RequestNote& note) {
  ++counters_.requests;
  const bool failed =
      note.status != 200 && note.status != 401 && (note.status < 300 || note.status >= 400);
  if (failed) ++counters_.failed_requests;
  counters_.open_breakers = client_.governor().open_breakers();
  if (log_ == nullptr) return;
  log_->write_limited(failed ? LogLevel::kWarn : LogLevel::kInfo,
                      "registry asked",
                      {{"operation", note.operation},
                       {"url", note.url},
                       {"status", static_cast<std::int64_t>(note.status)},
                       {"reason", note.reason},
                       {"milliseconds", static_cast<std::int64_t>(note.took.count())},
                       {"bytes", static_cast<std::int64_t>(note.bytes)}});
}

FactsService::FactsPointer FactsService::Impl::with_scan(const std::string& key,
                                                         const std::string& reference,
                                                         const FactsPointer& facts,
                                                         std::uint64_t revision) {
  auto scanned = std::make_shared<ImageFacts>(*facts);
  scanned->scan = scan_fact(sources_, *facts, reference);
  cache_.replace_scan(key, facts, scanned, revision);
  return scanned;
}

FactsService::FactsPointer FactsService::Impl::cached(
    const policy::ImageReference& reference,
    const std::vector<policy::Platform>& platforms,
    policy::FactSet wanted,
    const PodCredentialsPointer& credentials) {
  const std::string normalised = reference.normalised();
  std::string identity;
  if (credentials) identity = credentials->identity(registry::Repository::of(reference));
  const std::string key = cache_key(normalised, platforms, identity);
  FactCache::Found found = cache_.find(key, wanted);
  if (found.facts == nullptr) return nullptr;
  if (found.refresh) {
    FactRequest request = FactRequest::of(reference, platforms, wanted, credentials);
    asio::post(io_, [this, request = std::move(request)]() mutable {
      join(std::move(request), nullptr, 0, true, nullptr);
    });
  }
  if ((wanted & policy::kScan) == 0) return found.facts;
  const std::uint64_t revision = revision_of(sources_);
  if (revision == found.scan_revision) return found.facts;
  return with_scan(key, normalised, found.facts, revision);
}

void FactsService::Impl::fetch(std::vector<FactRequest> requests,
                               net::Deadline deadline,
                               Receiver receiver,
                               Trace trace) {
  auto work = [this,
               requests = std::move(requests),
               deadline,
               receiver = std::move(receiver),
               trace = std::move(trace)]() mutable {
    const auto party = std::make_shared<Party>(io_);
    party->receiver = std::move(receiver);
    party->left = requests.size();
    party->served.resize(requests.size());
    party->timer.expires_at(deadline.at);
    party->timer.async_wait([this, party](const boost::system::error_code& error) {
      if (!error) time_out(party);
    });
    for (std::size_t i = 0; i < requests.size(); ++i) {
      join(std::move(requests[i]), party, i, false, trace);
    }
  };
  asio::post(io_, std::move(work));
}

void FactsService::Impl::join(FactRequest request,
                              const std::shared_ptr<Party>& party,
                              std::size_t index,
                              bool refresh,
                              Trace trace) {
  const std::string key = flight_key(request);
  const auto under_way = flights_.find(key);
  if (under_way != flights_.end()) {
    ++counters_.shared;
    if (party != nullptr) under_way->second.waiting.emplace_back(party, index);
    return;
  }
  if (flights_.size() >= options_.most_flights) {
    const Unknown overloaded{UnknownReason::kOverloaded, ""};
    const auto facts =
        std::make_shared<const ImageFacts>(ImageFacts::unknown(request.platforms, overloaded));
    if (party != nullptr) serve(party, index, facts);
    return;
  }
  Flight& flight = flights_[key];
  if (party != nullptr) flight.waiting.emplace_back(party, index);
  ++counters_.look_ups;
  counters_.flights = flights_.size();
  const auto copy = std::make_shared<const FactRequest>(request);
  asio::co_spawn(io_,
                 fly(std::move(request), refresh, std::move(trace)),
                 [this, copy](const std::exception_ptr& failure) {
                   if (failure) crash(*copy);
                 });
}

// One of the places where exceptions end: what was under way fails, and nothing else with it.
void FactsService::Impl::crash(const FactRequest& request) {
  if (log_ != nullptr) log_->write_limited(LogLevel::kError, "look-up failed", {});
  const Unknown why{UnknownReason::kRegistryError, "the look-up failed"};
  land(request, ImageFacts::unknown(request.platforms, why));
}

asio::awaitable<void> FactsService::Impl::fly(FactRequest request, bool refresh, Trace trace) {
  const net::Deadline deadline = net::Deadline::in(options_.look_up_time);
  auto registries = registries_.read();
  if (request.credentials != nullptr) {
    // Lives as long as what it is part of.
    const std::shared_ptr<const registry::Keyring> keyring(request.credentials,
                                                           &request.credentials->keyring);
    registries = registries->on_behalf_of(keyring);
  }
  ImageFacts facts =
      co_await lookup_.look_up(registries, request, deadline, refresh, std::move(trace));
  land(request, std::move(facts));
}

void FactsService::Impl::land(const FactRequest& request, ImageFacts found) {
  if (!found.resolution) {
    ++counters_.unknowns[static_cast<std::size_t>(found.resolution.error().reason)];
  }
  const std::string key = cache_key(request.reference, request.platforms, request.identity);
  FactsPointer facts = cache_.put(key,
                                  request.facts,
                                  !request.digest.empty(),
                                  std::make_shared<const ImageFacts>(std::move(found)));
  if ((request.facts & policy::kScan) != 0) {
    facts = with_scan(key, request.reference, facts, revision_of(sources_));
  }
  const auto flight = flights_.extract(flight_key(request));
  counters_.flights = flights_.size();
  if (flight.empty()) return;
  for (const auto& [party, index] : flight.mapped().waiting) serve(party, index, facts);
}

void FactsService::Impl::serve(const std::shared_ptr<Party>& party,
                               std::size_t index,
                               FactsPointer facts) {
  if (party->served[index]) return;
  party->served[index] = true;
  party->receiver(index, std::move(facts));
  if (--party->left == 0) party->timer.cancel();
}

void FactsService::Impl::time_out(const std::shared_ptr<Party>& party) {
  for (std::size_t i = 0; i < party->served.size(); ++i) {
    if (party->served[i]) continue;
    ++counters_.timeouts;
    serve(party, i, nullptr);
  }
}

FactsService::FactsService(FactsOptions options,
                           net::ProxySettings proxies,
                           const net::Snapshot<registry::Registries>& registries,
                           std::vector<const scan::VerdictSource*> sources,
                           telemetry::Log* log)
    : impl_(std::make_unique<Impl>(
          std::move(options), std::move(proxies), registries, std::move(sources), log)) {
  const auto now = registries.read();
  platforms_ = now->platforms();
  if (platforms_.empty()) platforms_.push_back({"linux", "amd64", "", ""});
}

FactsService::~FactsService() = default;

FactsService::FactsPointer FactsService::cached(const policy::ImageReference& reference,
                                                const std::vector<policy::Platform>& platforms,
                                                policy::FactSet facts,
                                                const PodCredentialsPointer& credentials) {
  return impl_->cached(reference, platforms, facts, credentials);
}

void FactsService::fetch(std::vector<FactRequest> requests,
                         net::Deadline deadline,
                         Receiver receiver,
                         Trace trace) {
  impl_->fetch(std::move(requests), deadline, std::move(receiver), std::move(trace));
}

const FactsCounters& FactsService::counters() const {
  return impl_->counters();
}

FactsService::CacheSizes FactsService::cache_sizes() const {
  return impl_->cache_sizes();
}

}  // namespace plimsoll::webhook::facts
