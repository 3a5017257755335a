#include "webhook/cluster/reflector.h"

#include <utility>

#include <fmt/format.h>

#include "webhook/cluster/backoff.h"
#include "webhook/cluster/supervisor.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;
using telemetry::LogLevel;

// A watch that the server ends at once must not become a hot loop.
constexpr std::chrono::milliseconds kWatchesApart{1'000};
constexpr std::chrono::milliseconds kVersionTooLargeWait{1'000};

}  // namespace

std::string Reflector::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

void Reflector::fail(const char* verb, const ApiError& error) {
  ++counters_.failures;
  std::string text = fmt::format("cannot {} {}: {}", verb, collection_.what, error.text());
  if (error.code == 403) text += "; is its ClusterRole bound?";
  if (error.code == 404) text += "; is its CustomResourceDefinition installed?";
  const std::scoped_lock lock(mutex_);
  if (text == trouble_) return;
  trouble_ = std::move(text);
  log_.write_limited(LogLevel::kWarn, "API server", {{"trouble", trouble_}});
}

void Reflector::recover() {
  const std::scoped_lock lock(mutex_);
  if (trouble_.empty()) return;
  trouble_.clear();
  log_.write(LogLevel::kInfo, "API server answers again", {{"about", collection_.what}});
}

asio::awaitable<bool> Reflector::list_all(std::string& resource_version) {
  ++counters_.lists;
  observer_.begin();
  ItemSink sink = [this](const policy::json::Object& item) { observer_.put(item); };
  auto listed = co_await list(api_, collection_, std::move(sink));
  if (!listed) {
    fail("list", listed.error());
    co_return false;
  }
  resource_version = *std::move(listed);
  recover();
  observer_.listed();
  synced_ = true;
  co_return true;
}

// Watches from where the list ended, again and again, until that is too long ago.
asio::awaitable<void> Reflector::follow(std::string& resource_version) {
  Backoff backoff;
  while (true) {
    const auto began = net::Clock::now();
    ++counters_.watches;
    EventSink sink = [this, &backoff](EventType type, const policy::json::Object& object) {
      ++counters_.events;
      recover();
      backoff.reset();
      if (type == EventType::kPut) observer_.put(object);
      if (type == EventType::kRemoved) observer_.removed(object);
    };
    const auto ended = co_await watch(api_, collection_, times_, resource_version, std::move(sink));
    if (ended) {
      recover();
      const auto took =
          std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - began);
      const std::chrono::milliseconds rest = kWatchesApart - std::min(took, kWatchesApart);
      co_await pause(rest);
      continue;
    }
    const ApiError& error = ended.error();
    if (error.is_gone()) co_return;  // it happens; nothing to complain about
    fail("watch", error);
    if (error.version_too_large) {
      co_await pause(kVersionTooLargeWait);
      co_return;
    }
    const std::chrono::milliseconds wait = backoff.next();
    co_await pause(wait);
    // Whatever it says about the request itself will not change by asking the same again.
    if (error.code >= 400 && error.code < 500 && error.code != 429) co_return;
  }
}

asio::awaitable<void> Reflector::run() {
  Backoff backoff;
  std::string resource_version;
  while (true) {
    const bool listed = co_await list_all(resource_version);
    if (listed) co_await follow(resource_version);
    const std::chrono::milliseconds wait = backoff.next();
    co_await pause(wait);
  }
}

}  // namespace plimsoll::webhook::cluster
