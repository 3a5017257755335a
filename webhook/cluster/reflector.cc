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

bool Absence::note(unsigned status, net::Clock::time_point now) {
  if (status != 404) {
    lists_ = 0;
    return false;
  }
  if (lists_++ == 0) since_ = now;
  return lists_ >= kLists && now >= since_ + time_;
}

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

// As long as the server asks for, or as long as failures have it.
std::chrono::milliseconds Reflector::wait_after(const ApiError& error, Backoff& backoff) {
  const std::chrono::milliseconds wait = backoff.next();
  if (error.version_too_large) return kVersionTooLargeWait;
  return error.retry_after ? std::max<std::chrono::milliseconds>(*error.retry_after, wait) : wait;
}

void Reflector::put(const policy::json::Object& object, const std::string& trouble) {
  if (trouble.empty()) {
    observer_.put(object);
  } else {
    observer_.put_part(object, trouble);
  }
}

// A kind that is gone has no objects any more.
void Reflector::note_list(unsigned status) {
  const bool is_gone = absence_.note(status, net::Clock::now());
  if (!is_gone || !collection_.by_definition || !synced_) return;
  observer_.begin();
  observer_.listed();
}

asio::awaitable<std::expected<void, ApiError>> Reflector::list_all(std::string& resource_version) {
  ++counters_.lists;
  observer_.begin();
  ItemSink sink = [this](const policy::json::Object& item, const std::string& trouble) {
    put(item, trouble);
  };
  auto listed = co_await list(api_, collection_, std::move(sink));
  if (!listed) {
    fail("list", listed.error());
    note_list(listed.error().code);
    co_return std::unexpected(listed.error());
  }
  resource_version = *std::move(listed);
  note_list(200);
  recover();
  observer_.listed();
  synced_ = true;
  co_return std::expected<void, ApiError>();
}

// Watches from where the list ended, again and again, until that is too long ago, or until the
// server refuses: what it says about the request will not change by asking the same again.
asio::awaitable<std::chrono::milliseconds> Reflector::follow(std::string& resource_version) {
  Backoff backoff;
  while (true) {
    const auto began = net::Clock::now();
    ++counters_.watches;
    std::function<void()> opened = [this] { recover(); };
    EventSink sink = [this, &backoff](EventType type,
                                      const policy::json::Object& object,
                                      const std::string& trouble) {
      ++counters_.events;
      backoff.reset();
      if (type == EventType::kPut) put(object, trouble);
      if (type == EventType::kRemoved) observer_.removed(object);
    };
    const auto ended = co_await watch(
        api_, collection_, times_, resource_version, std::move(opened), std::move(sink));
    if (ended) {
      const auto took =
          std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - began);
      const std::chrono::milliseconds rest = kWatchesApart - std::min(took, kWatchesApart);
      co_await pause(rest);
      continue;
    }
    const ApiError& error = ended.error();
    if (error.is_gone()) co_return std::chrono::milliseconds(0);  // it happens
    fail("watch", error);
    const std::chrono::milliseconds wait = wait_after(error, backoff);
    const bool refused = error.code >= 400 && error.code < 500 && error.code != 429;
    if (refused || error.version_too_large) co_return wait;
    co_await pause(wait);
  }
}

asio::awaitable<void> Reflector::run() {
  Backoff backoff;
  std::string resource_version;
  while (true) {
    const auto listed = co_await list_all(resource_version);
    std::chrono::milliseconds wait{0};
    if (listed) {
      wait = co_await follow(resource_version);
    } else {
      wait = wait_after(listed.error(), backoff);
    }
    // Also where nothing is wrong: lists are what costs the server most.
    wait = std::max(wait, backoff.next());
    co_await pause(wait);
  }
}

}  // namespace plimsoll::webhook::cluster
