#include "webhook/controller/house_keeper.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "webhook/certificates/certificate_text.h"
#include "webhook/net/base64.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::controller {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;
using certificates::Step;
using cluster::ApiError;
using telemetry::LogLevel;
using Json = nlohmann::json;

constexpr std::chrono::seconds kLookAgain{30};
constexpr std::chrono::seconds kAfterFailure{5};
constexpr std::chrono::seconds kWhileNotLeading{2};
constexpr std::chrono::seconds kFightTime{30};  // writes that are closer than that are a fight
constexpr std::chrono::seconds kFightRest{1};
constexpr unsigned kFreeWrites = 4;  // a person who edits may do so several times
constexpr unsigned kMostRounds = 8;  // without a pause; a renewal takes four
constexpr const char* kConfigurations =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

double days_until(std::int64_t seconds) {
  if (seconds == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto left = seconds - wall_clock().time_since_epoch().count();
  return static_cast<double>(left) / 86'400;
}

cluster::Collection configuration_of(const std::string& name) {
  return {.path = kConfigurations,
          .what = "validatingwebhookconfigurations",
          .query = "fieldSelector=metadata.name%3D" + net::percent_encoded(name)};
}

}  // namespace

HouseKeeper::HouseKeeper(cluster::ApiThread& thread,
                         cluster::WatchTimes times,
                         HouseOptions options,
                         WantedConfiguration wanted,
                         std::function<bool()> leads,
                         EventRecorder& events,
                         telemetry::Log& log)
    : thread_(thread),
      options_(std::move(options)),
      wanted_(std::move(wanted)),
      leads_(std::move(leads)),
      events_(events),
      log_(log),
      changed_(thread.executor()),
      configuration_reflector_(thread.api(), configuration_of(wanted_.name()), times, *this, log) {
  thread.add("webhook configuration", [this] { return configuration_reflector_.run(); });
  thread.add("house", [this] { return run(); });
}

double HouseKeeper::serving_days_left() const {
  return days_until(serving_ends_);
}

double HouseKeeper::authority_days_left() const {
  return days_until(authority_ends_);
}

std::string HouseKeeper::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_.empty() ? configuration_reflector_.trouble() : trouble_;
}

HouseKeeper::Round HouseKeeper::fail(std::string what) {
  const std::scoped_lock lock(mutex_);
  if (what == trouble_) return Round::kFailed;
  trouble_ = std::move(what);
  log_.write_limited(LogLevel::kError, "house keeping", {{"trouble", trouble_}});
  return Round::kFailed;
}

ObjectReference HouseKeeper::configuration_reference() const {
  return {
      "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", wanted_.name(), "", ""};
}

ObjectReference HouseKeeper::secret_reference() const {
  return {"v1", "Secret", options_.secret, options_.name_space, ""};
}

// How long is left, for whoever watches: the earliest of what is served and of what is trusted.
void HouseKeeper::note_certificates(const Secret& secret) {
  const auto earliest = [&secret](const char* key) -> std::int64_t {
    const auto at = secret.data.find(key);
    if (at == secret.data.end()) return 0;
    std::int64_t end = 0;
    for (const std::string& one : certificates::salvage_bundle(at->second)) {
      const auto text = certificates::read_certificate(one);
      if (!text) continue;
      const std::int64_t not_after = text->not_after.time_since_epoch().count();
      end = end == 0 ? not_after : std::max(end, not_after);
    }
    return end;
  };
  const auto at = secret.data.find("tls.crt");
  const auto chain = at == secret.data.end() ? std::vector<std::string>()
                                             : certificates::salvage_bundle(at->second);
  const auto own = chain.empty() ? std::unexpected(policy::Error{})
                                 : certificates::read_certificate(chain.front());
  serving_ends_ = own ? own->not_after.time_since_epoch().count() : 0;
  authority_ends_ = earliest("ca.crt");
}

asio::awaitable<std::expected<HouseKeeper::Secret, ApiError>> HouseKeeper::read_secret() {
  cluster::ApiRequest request;
  request.path = "/api/v1/namespaces/" + net::percent_encoded(options_.name_space) + "/secrets/" +
                 net::percent_encoded(options_.secret);
  const cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (!answer) {
    if (answer.error().code == 404) co_return Secret();
    co_return std::unexpected(answer.error());
  }
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(answer->body);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  Secret secret;
  if (!object) co_return secret;
  secret.exists = true;
  secret.resource_version = cluster::text_at(*object, "metadata", "resourceVersion");
  const auto member = json::last_member(*object, "data");
  const auto data = member ? json::as_object(*member) : std::nullopt;
  if (!data) co_return secret;
  for (const auto& [key, value] : *data) {
    const auto text = json::as_text(value);
    secret.data[std::string(key)] = net::decode_base64(text.value_or("")).value_or("");
  }
  co_return secret;
}

asio::awaitable<std::expected<std::string, ApiError>> HouseKeeper::read_configuration() {
  cluster::ApiRequest request;
  request.path = std::string(kConfigurations) + "/" + net::percent_encoded(wanted_.name());
  cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (answer) co_return std::move(answer->body);
  if (answer.error().code == 404) co_return "";
  co_return std::unexpected(answer.error());
}

// Only over what was read: a conflict means that somebody else was faster, and we look again.
asio::awaitable<bool> HouseKeeper::write_secret(Secret before, Step step) {
  Json data = Json::object();
  for (const auto& [key, value] : step.data) data[key] = net::encode_base64(value);
  const Json patch = {{"metadata", {{"resourceVersion", before.resource_version}}},
                      {"data", std::move(data)}};
  cluster::ApiRequest request;
  request.method = "PATCH";
  request.path = "/api/v1/namespaces/" + net::percent_encoded(options_.name_space) + "/secrets/" +
                 net::percent_encoded(options_.secret);
  request.content_type = cluster::kMergePatch;
  request.body = patch.dump();
  const cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (answer) {
    ++renewals_;
    log_.write(LogLevel::kInfo, "certificates written", {{"why", step.reason}});
    EventText text{false, "CertificatesWritten", "Renew", step.reason};
    events_.add(secret_reference(), std::move(text));
    co_return true;
  }
  if (!answer.error().is_conflict()) {
    fail("cannot write Secret " + options_.secret + ": " + answer.error().text());
  }
  co_return answer.error().is_conflict();
}

void HouseKeeper::tell_unmanaged() {
  if (is_unmanaged_.exchange(true)) return;
  const std::string note = "it is left alone, because " + std::string(kUnmanagedAnnotation) +
                           " says so; certificates that are renewed are not trusted meanwhile";
  log_.write(LogLevel::kWarn, "webhook configuration is unmanaged", {{"note", note}});
  EventText text{true, "Unmanaged", "Heal", note};
  events_.add(configuration_reference(), std::move(text));
}

// Two writers that undo each other would keep the API server busy for nothing.
asio::awaitable<void> HouseKeeper::rest_after_write(std::string what) {
  const auto now = net::Clock::now();
  fights_ = now < written_at_ + kFightTime ? fights_ + 1 : 1;
  written_at_ = now;
  if (fights_ <= kFreeWrites) co_return;
  const std::string which = what.empty() ? "its caBundle" : what;
  fail("somebody else keeps changing webhook configuration " + wanted_.name() + " (" + which +
       "), so it is put right once a second only: does another controller keep it?");
  co_await cluster::pause(kFightRest);
}

asio::awaitable<HouseKeeper::Round> HouseKeeper::heal(std::string live,
                                                      std::optional<std::string> bundle) {
  const auto comparison = Comparison::of(wanted_, live, bundle);
  if (!comparison) co_return fail(comparison.error().message);
  configuration_is_right_ =
      !comparison->differs && !comparison->bundle_differs && !comparison->is_other_revision;
  if (comparison->is_unmanaged) {
    tell_unmanaged();
    co_return Round::kDone;
  }
  is_unmanaged_ = false;
  const bool is_news = !is_other_revision_.exchange(comparison->is_other_revision);
  if (comparison->is_other_revision && is_news) {
    log_.write(LogLevel::kWarn,
               "webhook configuration is of another revision",
               {{"note", "an upgrade is under way: only its caBundle is kept by this controller"}});
  }
  if (comparison->patch.empty()) co_return Round::kDone;
  if (!leads_()) co_return Round::kDone;
  cluster::ApiRequest request;
  request.method = "PATCH";
  request.path = std::string(kConfigurations) + "/" + net::percent_encoded(wanted_.name());
  request.content_type = cluster::kMergePatch;
  request.body = comparison->patch;
  const cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (!answer) {
    if (answer.error().is_conflict()) co_return Round::kAgain;
    co_return fail("cannot write webhook configuration " + wanted_.name() + ": " +
                   answer.error().text());
  }
  if (comparison->differs) {
    ++heals_;
    const std::string note = comparison->what + " was not as installed; it is again";
    log_.write(LogLevel::kWarn, "webhook configuration healed", {{"note", note}});
    EventText text{true, "Healed", "Heal", note};
    events_.add(configuration_reference(), std::move(text));
  } else {
    log_.write(LogLevel::kInfo, "caBundle written", {{"configuration", wanted_.name()}});
  }
  // A bundle that was written before and has to be written again was changed by somebody else.
  const bool by_others = comparison->differs || bundle == written_bundle_;
  written_bundle_ = bundle;
  const std::string what = comparison->what;
  if (by_others) co_await rest_after_write(what);
  co_return Round::kAgain;
}

asio::awaitable<HouseKeeper::Round> HouseKeeper::renew(Secret secret,
                                                       std::string live,
                                                       std::chrono::seconds* until_look) {
  certificates::Trusted trusted;
  if (!live.empty()) {
    const auto comparison = Comparison::of(wanted_, live, std::nullopt);
    if (comparison) trusted.bundles = comparison->trusted;
  }
  const certificates::Stored stored = certificates::stored_of(secret.data);
  auto step = certificates::plan(stored, trusted, options_.terms, wall_clock());
  if (!step) co_return fail("certificates: " + step.error().message);
  *until_look = std::min(*until_look, step->until_look);
  if (step->kind == Step::Kind::kWriteSecret) {
    if (!secret.exists) {
      co_return fail(
          "Secret " + options_.name_space + "/" + options_.secret +
          " is missing: the chart makes it, empty, so that we need no right to create any");
    }
    if (!leads_()) co_return Round::kDone;
    const bool written = co_await write_secret(std::move(secret), *std::move(step));
    co_return written ? Round::kAgain : Round::kFailed;
  }
  if (step->kind == Step::Kind::kWait && step->reason != told_waiting_) {
    told_waiting_ = step->reason;
    log_.write(LogLevel::kInfo, "certificates", {{"waiting", told_waiting_}});
  }
  if (live.empty()) co_return Round::kDone;
  const std::optional<std::string> bundle = step->bundle;
  const Round healed = co_await heal(std::move(live), bundle);
  co_return healed;
}

asio::awaitable<HouseKeeper::Round> HouseKeeper::round(std::chrono::seconds* until_look) {
  const auto secret = co_await read_secret();
  if (!secret) {
    co_return fail("cannot read Secret " + options_.secret + ": " + secret.error().text());
  }
  note_certificates(*secret);
  auto live = co_await read_configuration();
  if (!live) {
    co_return fail("cannot read webhook configuration " + wanted_.name() + ": " +
                   live.error().text());
  }
  if (live->empty()) configuration_is_right_ = false;
  Round ended = Round::kDone;
  if (options_.mode == CertificateMode::kSelfManaged) {
    ended = co_await renew(*secret, *live, until_look);
  } else if (!live->empty()) {
    std::optional<std::string> bundle;
    const auto authorities = secret->data.find("ca.crt");
    const bool given = options_.mode == CertificateMode::kExisting &&
                       authorities != secret->data.end() && !authorities->second.empty();
    if (given) bundle = authorities->second;
    ended = co_await heal(*live, bundle);
  }
  // Deleting it is how an administrator switches us off: it is told, and not made again.
  if (ended == Round::kDone && live->empty()) {
    co_return fail("webhook configuration " + wanted_.name() +
                   " does not exist: nothing is checked; install it again to go on");
  }
  co_return ended;
}

void HouseKeeper::forget_trouble() {
  const std::scoped_lock lock(mutex_);
  trouble_.clear();
}

asio::awaitable<void> HouseKeeper::run() {
  unsigned again = 0;
  while (true) {
    if (!leads_()) {
      forget_trouble();  // it is the leader's now
      co_await changed_.wait(kWhileNotLeading);
      continue;
    }
    std::chrono::seconds until_look = kLookAgain;
    Round ended = co_await round(&until_look);
    again = ended == Round::kAgain ? again + 1 : 0;
    if (ended == Round::kAgain && again < kMostRounds) continue;
    if (ended == Round::kAgain) {
      ended = fail(
          "what is written does not stay: does another controller keep webhook configuration " +
          wanted_.name() + " or Secret " + options_.secret + "?");
      again = 0;
    }
    if (ended == Round::kDone) {
      is_in_order_ = true;
      forget_trouble();
    }
    const std::chrono::milliseconds wait = ended == Round::kFailed ? kAfterFailure : until_look;
    co_await changed_.wait(wait);
  }
}

}  // namespace plimsoll::webhook::controller
