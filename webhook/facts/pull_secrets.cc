#include "webhook/facts/pull_secrets.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/net/base64.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::facts {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;
using cluster::text_at;
using telemetry::LogLevel;

constexpr std::size_t kMaxNameBytes = 253;

// A DNS subdomain: nothing that could lead to another path.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::chrono::milliseconds time_left(net::Deadline deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline.at - net::Clock::now());
}

}  // namespace

// One look-up on its way.
struct PullSecrets::Reading {
  PullSecretNames names;
  net::Deadline deadline;
  std::vector<std::string> secrets;
  registry::Keyring keyring{registry::CredentialSource::kPullSecret};
  bool failed = false;   // it is worth trying again soon
  bool unasked = false;  // nobody has told us anything: nothing to be remembered
};

PullSecretNames PullSecretNames::of(const policy::Workload& workload, std::string_view name_space) {
  PullSecretNames names;
  names.name_space = name_space;
  for (const std::string_view name : workload.pull_secrets) {
    if (is_name(name) && names.secrets.size() < kMaxSecretsOfPod) names.secrets.emplace_back(name);
  }
  // The account counts only where the list is empty, as the API server's own plugin has it.
  if (workload.pull_secrets.empty()) {
    const std::string_view account = workload.service_account;
    if (account.empty()) names.service_account = "default";
    if (is_name(account)) names.service_account = account;
  }
  return names;
}

std::string PullSecretNames::key() const {
  std::string key = name_space + "/" + service_account + "/";
  for (const std::string& name : secrets) key += name + "/";
  return key;
}

bool PullSecrets::covers(std::string_view name_space) const {
  return std::ranges::find(namespaces_, name_space) != namespaces_.end();
}

PodCredentialsPointer PullSecrets::find(const PullSecretNames& names) const {
  const std::scoped_lock lock(mutex_);
  const auto at = known_.find(names.key());
  const bool fresh = at != known_.end() && net::Clock::now() < at->second.until;
  return fresh ? at->second.credentials : nullptr;
}

void PullSecrets::ask(PullSecretNames names, net::Deadline deadline, std::function<void()> ready) {
  thread_.post([this, names = std::move(names), deadline, ready = std::move(ready)] {
    const cluster::Boarding boarding = flights_.join(names.key(), ready);
    if (boarding == cluster::Boarding::kFull) return ready();
    if (boarding == cluster::Boarding::kAnother) return;
    thread_.add("pull secrets", [this, names, deadline] { return look_up(names, deadline); });
  });
}

// The object's text; empty where there is none. Nothing of it is ever logged.
asio::awaitable<std::string> PullSecrets::get(Reading& reading,
                                              std::string kind,
                                              std::string name) {
  cluster::ApiRequest request;
  request.path = "/api/v1/namespaces/" + net::percent_encoded(reading.names.name_space) + "/" +
                 kind + "/" + net::percent_encoded(name);
  request.time = time_left(reading.deadline);
  request.for_review = true;
  const cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (answer) co_return answer->body;
  const cluster::ApiError& error = answer.error();
  if (error.code == 404) co_return "";  // a kubelet passes over it, too
  reading.failed = true;
  if (error.reason == cluster::kNoTurn) reading.unasked = true;
  const std::string text = error.text() + (error.code == 403 ? "; is its Role bound?" : "");
  log_.write_limited(LogLevel::kWarn,
                     "pull secrets not read",
                     {{"namespace", reading.names.name_space}, {"kind", kind}, {"why", text}});
  co_return "";
}

asio::awaitable<void> PullSecrets::read_account(Reading& reading) {
  const std::string name = reading.names.service_account;
  if (!is_name(name)) co_return;
  const std::string body = co_await get(reading, "serviceaccounts", name);
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(body);
  if (body.empty() || parser.parse(padded).get(root) != simdjson::SUCCESS) co_return;
  const auto object = json::as_object(root);
  const auto member = object ? json::last_member(*object, "imagePullSecrets") : std::nullopt;
  const auto list = member ? json::as_array(*member) : std::nullopt;
  if (!list) co_return;
  for (const json::Element element : *list) {
    const auto reference = json::as_object(element);
    const std::string_view secret = reference ? text_at(*reference, "name") : std::string_view();
    if (is_name(secret) && reading.secrets.size() < kMaxSecretsOfPod) {
      reading.secrets.emplace_back(secret);
    }
  }
}

asio::awaitable<void> PullSecrets::read_secret(Reading& reading, std::string name) {
  const std::string body = co_await get(reading, "secrets", name);
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(body);
  if (body.empty() || parser.parse(padded).get(root) != simdjson::SUCCESS) co_return;
  const auto object = json::as_object(root);
  if (!object) co_return;
  const std::string_view type = text_at(*object, "type");
  const bool old = type == "kubernetes.io/dockercfg";
  if (!old && type != "kubernetes.io/dockerconfigjson") co_return;
  const auto text =
      net::decode_base64(text_at(*object, "data", old ? ".dockercfg" : ".dockerconfigjson"));
  auto keyring =
      registry::Keyring::read(text.value_or(""), registry::CredentialSource::kPullSecret);
  if (keyring) {
    reading.keyring.add(*std::move(keyring));
    co_return;
  }
  log_.write_limited(LogLevel::kWarn,
                     "pull secret passed over",
                     {{"namespace", reading.names.name_space},
                      {"secret", name},
                      {"why", keyring.error().message}});
}

void PullSecrets::remember(Reading reading) {
  const auto credentials =
      std::make_shared<const PodCredentials>(PodCredentials{std::move(reading.keyring)});
  const auto now = net::Clock::now();
  const auto lifetime = reading.failed ? kSecretsFailed : kSecretsFresh;
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [now](const auto& entry) { return entry.second.until <= now; });
  if (known_.size() >= kMaxSecretSets) known_.clear();
  known_[reading.names.key()] = {credentials, now + lifetime};
}

asio::awaitable<void> PullSecrets::look_up(PullSecretNames names, net::Deadline deadline) {
  Reading reading;
  reading.names = names;
  reading.deadline = deadline;
  reading.secrets = names.secrets;
  if (!names.service_account.empty()) co_await read_account(reading);
  for (const std::string& secret : reading.secrets) co_await read_secret(reading, secret);
  if (!reading.unasked) remember(std::move(reading));
  flights_.land(names.key());
}

}  // namespace plimsoll::webhook::facts
