#include "webhook/policy_sources/cluster_policies.h"

#include <utility>

namespace plimsoll::webhook::policy_sources {
namespace {

namespace asio = boost::asio;
using telemetry::LogLevel;

// How long changes are collected before they are put into force together.
constexpr std::chrono::milliseconds kCollect{100};
constexpr std::chrono::minutes kLookAgain{10};
constexpr std::chrono::seconds kExceptionsTime{10};

}  // namespace

ClusterPolicies::ClusterPolicies(cluster::ApiThread& thread,
                                 cluster::WatchTimes times,
                                 Publish publish,
                                 telemetry::Log& log)
    : thread_(thread),
      publish_(std::move(publish)),
      log_(log),
      policies_([this] { changed_.give(); }),
      exceptions_([this] { changed_.give(); }),
      policy_reflector_(thread.api(), PolicyObjects::collection(), times, policies_, log),
      exception_reflector_(thread.api(), ExceptionObjects::collection(), times, exceptions_, log),
      namespace_reflector_(thread.api(), Namespaces::collection(), times, namespaces_, log),
      changed_(thread.executor()) {
  for (cluster::Reflector* reflector :
       {&policy_reflector_, &exception_reflector_, &namespace_reflector_}) {
    thread.add(reflector->what(), [reflector] { return reflector->run(); });
  }
  thread.add("policies", [this] { return publish_changes(); });
}

bool ClusterPolicies::synced() const {
  return policy_reflector_.synced() && exception_reflector_.synced() &&
         namespace_reflector_.synced();
}

std::vector<std::string> ClusterPolicies::trouble() const {
  std::vector<std::string> lines;
  for (const cluster::Reflector* reflector :
       {&policy_reflector_, &exception_reflector_, &namespace_reflector_}) {
    std::string trouble = reflector->trouble();
    if (!trouble.empty()) lines.push_back(std::move(trouble));
  }
  return lines;
}

ClusterPolicies::Counters ClusterPolicies::counters() const {
  Counters sum;
  for (const cluster::Reflector* reflector :
       {&policy_reflector_, &exception_reflector_, &namespace_reflector_}) {
    const cluster::ReflectorCounters& counters = reflector->counters();
    sum.lists += counters.lists;
    sum.watches += counters.watches;
    sum.events += counters.events;
    sum.failures += counters.failures;
  }
  return sum;
}

void ClusterPolicies::tell_refusals() {
  std::size_t refused = 0;
  for (const auto& [name, object] : policies_.all()) {
    if (object.refusal.empty()) {
      told_.erase(name);
      continue;
    }
    ++refused;
    std::string& told = told_[name];
    if (told == object.refusal) continue;
    told = object.refusal;
    log_.write_limited(
        LogLevel::kError,
        object.counts() ? "policy refused, the old one is kept" : "policy refused",
        {{"policy", name}, {"generation", object.generation}, {"why", object.refusal}});
  }
  std::erase_if(told_,
                [this](const auto& entry) { return !policies_.all().contains(entry.first); });
  refused_ = refused;
}

asio::awaitable<void> ClusterPolicies::publish_changes() {
  const auto began = net::Clock::now();
  while (true) {
    co_await changed_.wait(kLookAgain);
    co_await cluster::pause(kCollect);
    if (!policy_reflector_.synced()) continue;
    // Without exceptions policies would refuse what they should not; but where exceptions cannot be
    // read at all, policies that refuse too much are better than none.
    const bool excepted = exception_reflector_.synced();
    if (!excepted && net::Clock::now() < began + kExceptionsTime) {
      changed_.give();
      continue;
    }
    tell_refusals();
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    auto policies = policies_of(policies_, exceptions_, now);
    const std::string revision = policies == nullptr ? "none" : policies->revision;
    if (revision == published_) continue;
    published_ = revision;
    publish_(std::move(policies));
    published_once_ = true;
  }
}

asio::awaitable<void> ClusterPolicies::ask(std::string name, net::Deadline deadline) {
  co_await namespaces_.ask(thread_.api(), name, deadline, log_);
  flights_.land(name);
}

void ClusterPolicies::ask_namespace(std::string name,
                                    net::Deadline deadline,
                                    std::function<void()> ready) {
  thread_.post([this, name = std::move(name), deadline, ready = std::move(ready)] {
    const cluster::Boarding boarding = flights_.join(name, ready);
    if (boarding == cluster::Boarding::kFull) return ready();
    if (boarding == cluster::Boarding::kAnother) return;
    thread_.add("namespace", [this, name, deadline] { return ask(name, deadline); });
  });
}

}  // namespace plimsoll::webhook::policy_sources
