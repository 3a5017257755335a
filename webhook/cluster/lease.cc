#include "webhook/cluster/lease.h"

#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "webhook/cluster/backoff.h"
#include "webhook/cluster/collection.h"
#include "webhook/cluster/supervisor.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;
using Json = nlohmann::json;
using telemetry::LogLevel;

constexpr double kJitter = 1.2;
constexpr int kReleaseAttempts = 3;

// Goes on while the machine sleeps, and never back.
std::chrono::nanoseconds since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::int64_t integer_at(const json::Object& object, std::string_view key, std::int64_t otherwise) {
  const auto member = json::last_member(object, key);
  return member ? json::as_integer(*member).value_or(otherwise) : otherwise;
}

std::chrono::seconds whole_seconds(std::chrono::milliseconds time) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(time), std::chrono::seconds(1));
}

}  // namespace

std::string micro_time(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time - whole);
  const std::tm parts = fmt::gmtime(std::chrono::system_clock::to_time_t(whole));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, micros.count());
}

Lease::Lease(Api& api, LeaseOptions options, telemetry::Log& log)
    : api_(api), options_(std::move(options)), log_(log) {}

bool Lease::leads() const {
  return since_boot().count() < leads_until_;
}

std::string Lease::path() const {
  return "/apis/coordination.k8s.io/v1/namespaces/" + options_.name_space + "/leases";
}

void Lease::won(Time asked) {
  if (released_) return;
  const Time until = asked + options_.renew_within;
  leads_until_ = until.count();
  trouble_.clear();
  if (told_leading_) return;
  told_leading_ = true;
  ++terms_;
  log_.write(LogLevel::kInfo, "leading", {{"lease", options_.name}, {"as", options_.identity}});
}

void Lease::lost(const char* why) {
  leads_until_ = 0;
  if (!told_leading_) return;
  told_leading_ = false;
  log_.write(LogLevel::kWarn, "no longer leading", {{"lease", options_.name}, {"why", why}});
}

void Lease::fail(const char* verb, const ApiError& error) {
  std::string text = fmt::format("cannot {} lease {}: {}", verb, options_.name, error.text());
  if (text == trouble_) return;
  trouble_ = std::move(text);
  log_.write_limited(LogLevel::kWarn, "API server", {{"trouble", trouble_}});
}

asio::awaitable<bool> Lease::put(Record record, bool is_new) {
  const Time asked = since_boot();
  Json metadata = {{"name", options_.name}, {"namespace", options_.name_space}};
  if (!is_new) metadata["resourceVersion"] = record.resource_version;
  Json spec = {{"holderIdentity", record.holder},
               {"leaseDurationSeconds", record.duration_seconds},
               {"renewTime", record.renewed},
               {"leaseTransitions", record.transitions}};
  if (!record.acquired.empty()) spec["acquireTime"] = record.acquired;
  const Json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                      {"kind", "Lease"},
                      {"metadata", std::move(metadata)},
                      {"spec", std::move(spec)}};
  ApiRequest request;
  request.method = is_new ? "POST" : "PATCH";
  if (!is_new) request.content_type = kMergePatch;  // labels and annotations are others'
  request.path = is_new ? path() : path() + "/" + options_.name;
  request.body = lease.dump();
  request.time = options_.renew_within / 2;
  const ApiResult answer = co_await api_.call(std::move(request));
  if (!answer) {
    const bool race = answer.error().code == 409;  // somebody was faster: the next look shows who
    if (!race) fail(is_new ? "create" : "update", answer.error());
    co_return false;
  }
  if (record.holder == options_.identity) won(asked);
  co_return true;
}

asio::awaitable<void> Lease::create() {
  Record record;
  record.holder = options_.identity;
  record.duration_seconds = whole_seconds(options_.duration).count();
  record.renewed = micro_time(std::chrono::system_clock::now());
  record.acquired = record.renewed;
  co_await put(std::move(record), true);
}

// Renews what is ours, takes what nobody has renewed for as long as its holder promised to.
asio::awaitable<void> Lease::take(Record seen) {
  const bool ours = seen.holder == options_.identity;
  const Time promised = std::chrono::seconds(std::max<std::int64_t>(seen.duration_seconds, 1));
  const bool held = !ours && !seen.holder.empty() && since_boot() < observed_at_ + promised;
  is_anothers_ = held;
  if (held) {
    lost("somebody else holds the lease");
    co_return;
  }
  if (!ours) {
    seen.transitions += 1;
    seen.acquired = micro_time(std::chrono::system_clock::now());
  }
  seen.holder = options_.identity;
  seen.duration_seconds = whole_seconds(options_.duration).count();
  seen.renewed = micro_time(std::chrono::system_clock::now());
  co_await put(std::move(seen), false);
}

std::optional<Lease::Record> Lease::read_record(const std::string& body) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(body);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  if (!object) return std::nullopt;
  Record seen;
  seen.resource_version = text_at(*object, "metadata", "resourceVersion");
  const auto member = json::last_member(*object, "spec");
  const auto spec = member ? json::as_object(*member) : std::nullopt;
  if (!spec) return seen;
  seen.holder = text_at(*spec, "holderIdentity");
  seen.renewed = text_at(*spec, "renewTime");
  seen.acquired = text_at(*spec, "acquireTime");
  seen.duration_seconds = integer_at(*spec, "leaseDurationSeconds", 15);
  seen.transitions = integer_at(*spec, "leaseTransitions", 0);
  return seen;
}

asio::awaitable<void> Lease::step() {
  ApiRequest request;
  request.path = path() + "/" + options_.name;
  request.time = options_.renew_within / 2;
  const ApiResult answer = co_await api_.call(std::move(request));
  if (!answer) {
    if (answer.error().code == 404) {
      co_await create();
    } else {
      fail("get", answer.error());
    }
    co_return;
  }
  if (released_) co_return;  // meanwhile: what nobody holds now is not for us
  auto read = read_record(answer->body);
  if (!read) co_return;
  Record seen = *std::move(read);
  // Their clock may be anything: what counts is for how long we have seen no change.
  if (!(seen == observed_)) {
    observed_ = seen;
    observed_at_ = since_boot();
  }
  co_await take(std::move(seen));
}

asio::awaitable<void> Lease::run() {
  while (!released_) {
    co_await step();
    if (told_leading_ && !leads()) lost("it could not be renewed in time");
    const auto longest =
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.retry * kJitter);
    const std::chrono::milliseconds wait = random_time(options_.retry, longest);
    co_await pause(wait);
  }
}

asio::awaitable<void> Lease::release() {
  if (!leads()) co_return;
  released_ = true;
  leads_until_ = 0;
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    if (co_await give_back()) co_return;
  }
}

// False where it may still be ours: a renewal that was under way came in between, say.
asio::awaitable<bool> Lease::give_back() {
  ApiRequest request;
  request.path = path() + "/" + options_.name;
  request.time = std::chrono::seconds(2);
  const ApiResult answer = co_await api_.call(std::move(request));
  if (!answer) co_return false;
  auto record = read_record(answer->body);
  if (!record || record->holder != options_.identity) co_return true;
  record->holder = "";
  record->duration_seconds = 1;
  record->renewed = micro_time(std::chrono::system_clock::now());
  co_return co_await put(*std::move(record), false);
}

}  // namespace plimsoll::webhook::cluster
