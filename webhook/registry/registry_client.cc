#include "webhook/registry/registry_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "webhook/net/base64.h"
#include "webhook/registry/refusal.h"
#include "webhook/registry/registry_call.h"

namespace plimsoll::webhook::registry {
namespace {

namespace asio = boost::asio;
using net::FetchAnswer;
using net::FetchResult;
using policy::Fact;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::size_t kMaxCredentials = 3;
constexpr std::size_t kMaxRememberedChallenges = 5'000;
constexpr std::chrono::milliseconds kTimeToRetry{1'500};
constexpr std::chrono::seconds kStallTime{30};

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail = "") {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

// A registry that nobody has named must not lead us to private addresses of one that somebody has.
net::ServerAccess access_from(const Registries& registries,
                              const Endpoint& from,
                              const net::Url& target) {
  net::ServerAccess access = registries.access_of(target);
  access.configured = access.configured && from.access.named;
  return access;
}

void tell(const Asking& asking, const std::string& line) {
  if (asking.trace) asking.trace(line);
}

std::string_view transient(unsigned status) {
  return status == 502 || status == 503 || status == 504 ? "the server is not ready" : "";
}

// The one we know best how to meet. 401 without any is a plain refusal.
Fact<Challenge> challenge_of(const FetchAnswer& answer) {
  std::vector<std::string_view> headers;
  for (const auto& [name, value] : answer.headers) {
    if (name == "www-authenticate") headers.push_back(value);
  }
  const std::vector<Challenge> challenges = parse_challenges(headers);
  if (headers.empty()) return std::unexpected(unknown_of(answer));
  for (const std::string_view scheme : {"bearer", "basic"}) {
    const auto at = std::ranges::find(challenges, scheme, &Challenge::scheme);
    if (at != challenges.end()) return *at;
  }
  return refused(UnknownReason::kUnsupportedAuth);
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

RegistryClient::RegistryClient(asio::io_context& io,
                               net::HttpClient& http,
                               GovernorOptions governor,
                               Observer observer)
    : http_(http),
      governor_(io, governor),
      tokens_(
          http,
          [this](const net::Url& realm, const FetchResult& result, net::Clock::time_point began) {
            note(realm, result, "token", began);
          }),
      observer_(std::move(observer)) {}

std::string RegistryClient::challenge_key(const Endpoint& endpoint, const Repository& repository) {
  return endpoint.base.shown() + " " + repository.path;
}

RequestNote RegistryClient::note(const net::Url& url,
                                 const FetchResult& result,
                                 std::string_view operation,
                                 net::Clock::time_point began) const {
  RequestNote note;
  note.url = url.shown();
  note.operation = operation;
  note.took = std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - began);
  if (result) {
    note.status = result->status;
    note.bytes = result->body.size();
  } else {
    note.reason = policy::reason_word(unknown_of(result.error()).reason);
  }
  if (observer_) observer_(note);
  return note;
}

// A request in its server's turn. Once again where the server was not ready and there is time.
asio::awaitable<FetchResult> RegistryClient::governed(AskingPointer asking,
                                                      net::FetchRequest request,
                                                      std::string_view operation) {
  const std::string server = request.url.authority();
  bool again = true;
  while (true) {
    const auto turn = co_await governor_.enter(server, request.deadline);
    if (!turn) {
      tell(*asking, fmt::format("{}: {}", server, policy::unknown_text(turn.error())));
      net::FetchFault fault = net::FetchFault::kBreaker;
      if (turn.error().reason == UnknownReason::kRateLimited) fault = net::FetchFault::kRateLimited;
      if (turn.error().reason == UnknownReason::kOverloaded) fault = net::FetchFault::kOverloaded;
      co_return std::unexpected(net::FetchError{fault, turn.error().detail});
    }
    const net::Clock::time_point began = net::Clock::now();
    net::FetchRequest copy = request;
    FetchResult result = co_await http_.fetch(std::move(copy));
    const bool refused_status = result && result->status >= 500;
    const bool failed = refused_status || (!result && is_outage(unknown_of(result.error()).reason));
    const bool abandoned =
        failed && request.deadline.passed() && net::Clock::now() - began < kTimeToRetry;
    governor_.leave(server,
                    !failed     ? HostGovernor::Outcome::kAnswered
                    : abandoned ? HostGovernor::Outcome::kAbandoned
                                : HostGovernor::Outcome::kFailed);
    const RequestNote noted = note(request.url, result, operation, began);
    tell(*asking,
         result ? fmt::format("{} {} -> {} ({} ms)",
                              request.method,
                              noted.url,
                              noted.status,
                              noted.took.count())
                : fmt::format("{} {} -> {}: {} ({} ms)",
                              request.method,
                              noted.url,
                              noted.reason,
                              result.error().detail,
                              noted.took.count()));
    if (result && result->status == 429) {
      const auto pause = retry_after(*result);
      governor_.pause(server, std::max(pause, std::chrono::seconds(2)));
    }
    const bool connect = !result && result.error().fault == net::FetchFault::kConnect;
    const bool not_ready = result && !transient(result->status).empty();
    const bool time = request.deadline.at - net::Clock::now() > kTimeToRetry;
    if (!again || !time || (!connect && !not_ready)) co_return result;
    again = false;
  }
}

// Redirects are followed without credentials as soon as they leave the registry.
asio::awaitable<Fact<FetchAnswer>> RegistryClient::follow(AskingPointer asking,
                                                          Endpoint endpoint,
                                                          Call call,
                                                          std::string authorization) {
  net::Url url = endpoint.base;
  url.target += asking->repository.path + "/" + call.below;
  if (!endpoint.name_space.empty())
    url.target += "?ns=" + net::percent_encoded(endpoint.name_space);
  net::ServerAccess access = endpoint.access;
  for (unsigned hop = 0;; ++hop) {
    net::FetchRequest request;
    request.method = call.method;
    request.url = url;
    request.access = access;
    request.body_limit = call.limit;
    request.sink = call.sink;
    request.deadline = asking->deadline;
    if (call.sink) request.stall_time = kStallTime;
    request.headers = {{"Accept", call.accept}, {"Accept-Encoding", "identity"}};
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    FetchResult result = co_await governed(asking, std::move(request), call.operation);
    if (!result) co_return std::unexpected(unknown_of(result.error()));
    if (!is_redirect(result->status)) co_return std::move(*result);
    if (hop == call.redirects) {
      co_return refused(UnknownReason::kRedirectRefused, "more redirects than are followed");
    }
    const auto target = net::resolve_location(url, result->header("location"));
    if (!target) co_return refused(UnknownReason::kRedirectRefused, target.error());
    if (!target->tls && !endpoint.plain_http) {
      co_return refused(UnknownReason::kRedirectRefused, "to a server without TLS");
    }
    tell(*asking, fmt::format("redirected to {}", target->shown()));
    if (!target->same_server(url)) {
      authorization.clear();
      access = access_from(*asking->registries, endpoint, *target);
    }
    url = *target;
  }
}

// What a credential makes of the challenge that this repository gave the last time.
asio::awaitable<Fact<RegistryClient::Permit>> RegistryClient::permit(AskingPointer asking,
                                                                     Endpoint endpoint,
                                                                     Credential credential) {
  Permit permit;
  const auto known = challenges_.find(challenge_key(endpoint, asking->repository));
  if (!credential.registry_token.empty()) {
    permit.authorization = "Bearer " + credential.registry_token;
    co_return permit;
  }
  if (known == challenges_.end()) co_return permit;
  const Challenge& challenge = known->second;
  if (challenge.scheme == "basic") {
    if (credential.is_anonymous()) co_return permit;
    permit.authorization = "Basic " + net::encode_base64(credential.user + ":" + credential.secret);
    co_return permit;
  }
  constexpr std::size_t kMaxRealmBytes = 2 * 1024;
  if (challenge.parameter("realm").size() > kMaxRealmBytes) {
    co_return refused(UnknownReason::kUntrustedRealm, "its realm is longer than 2 KiB");
  }
  const auto realm = net::parse_url(challenge.parameter("realm"));
  if (!realm) co_return refused(UnknownReason::kUntrustedRealm, "its realm: " + realm.error());
  if (!realm->tls && !endpoint.plain_http) {
    co_return refused(UnknownReason::kUntrustedRealm, "its realm is without TLS");
  }
  const bool trusted = asking->registries->trusts_realm(endpoint, *realm);
  const bool withheld = !trusted && !credential.is_anonymous();
  if (withheld) tell(*asking, "credentials are not sent to " + realm->authority());
  permit.token.realm = *realm;
  permit.token.access = realm->same_server(endpoint.base)
                            ? endpoint.access
                            : access_from(*asking->registries, endpoint, *realm);
  permit.token.service = std::string(challenge.parameter("service")).substr(0, 1024);
  permit.token.path = asking->repository.path;
  permit.withheld = withheld;
  if (!withheld) permit.token.credential = std::move(credential);
  permit.token.deadline = asking->deadline;
  const auto token = co_await tokens_.token(permit.token);
  if (!token) {
    tell(*asking,
         fmt::format("token of {}: {}", realm->shown(), policy::unknown_text(token.error())));
    if (withheld) {
      co_return refused(UnknownReason::kUntrustedRealm, "its realm is " + realm->authority());
    }
    co_return std::unexpected(token.error());
  }
  tell(*asking, fmt::format("token of {}{}", realm->shown(), token->cached ? " (kept)" : ""));
  permit.authorization = "Bearer " + token->value;
  permit.cached_token = token->cached;
  co_return permit;
}

asio::awaitable<Fact<FetchAnswer>> RegistryClient::call_as(AskingPointer asking,
                                                           Endpoint endpoint,
                                                           Call call,
                                                           Credential credential) {
  const auto before = co_await permit(asking, endpoint, credential);
  if (!before) co_return std::unexpected(before.error());
  auto answer = co_await follow(asking, endpoint, call, before->authorization);
  if (!answer || answer->status != 401) co_return answer;
  const auto challenge = challenge_of(*answer);
  if (!challenge) co_return std::unexpected(challenge.error());
  tell(*asking, "challenge: " + challenge->scheme);
  const std::string key = challenge_key(endpoint, asking->repository);
  const auto known = challenges_.find(key);
  const bool is_new = known == challenges_.end() || !(known->second == *challenge);
  const bool refused_for_good = !before->authorization.empty() && !before->cached_token && !is_new;
  if (refused_for_good) co_return answer;
  if (before->cached_token) tokens_.drop(before->token);
  if (challenges_.size() >= kMaxRememberedChallenges) challenges_.clear();
  challenges_[key] = *challenge;
  const auto after = co_await permit(asking, endpoint, credential);
  if (!after) co_return std::unexpected(after.error());
  if (after->authorization.empty()) co_return answer;
  answer = co_await follow(asking, endpoint, call, after->authorization);
  const bool refused_still = answer && (answer->status == 401 || answer->status == 403);
  if (refused_still && after->withheld) {
    co_return refused(UnknownReason::kUntrustedRealm,
                      "credentials were not sent to " + after->token.realm.authority());
  }
  co_return answer;
}

// The credentials that fit, one after the other, and nobody's at last.
asio::awaitable<Fact<FetchAnswer>> RegistryClient::call_endpoint(AskingPointer asking,
                                                                 Endpoint endpoint,
                                                                 Call call) {
  std::vector<Credential> credentials;
  const std::string domain =
      endpoint.name_space.empty() ? asking->repository.domain : endpoint.host_key;
  for (const CredentialEntry* entry :
       asking->registries->credentials(domain, asking->repository.path)) {
    if (credentials.size() + 1 == kMaxCredentials) break;
    tell(*asking, fmt::format("credentials: the entry {} fits", entry->key));
    credentials.push_back(entry->credential);
  }
  if (credentials.empty()) tell(*asking, "credentials: none");
  credentials.emplace_back();
  Fact<FetchAnswer> first = refused(UnknownReason::kUnauthorized);
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    Fact<FetchAnswer> answer = co_await call_as(asking, endpoint, call, credentials[i]);
    const bool by_status = answer && (answer->status == 401 || answer->status == 403);
    const bool by_token = !answer && (answer.error().reason == UnknownReason::kUnauthorized ||
                                      answer.error().reason == UnknownReason::kUntrustedRealm);
    // Of several refusals the first tells most: nobody's credentials come last.
    if (!by_status && !by_token && (answer || i == 0)) co_return answer;
    if (i == 0) first = std::move(answer);
  }
  co_return first;
}

asio::awaitable<Fact<FetchAnswer>> RegistryClient::call(AskingPointer asking, Call call) {
  const Repository& repository = asking->repository;
  if (!asking->registries->allows(repository.host_key)) {
    tell(*asking, fmt::format("{} may not be asked", repository.host_key));
    co_return refused(UnknownReason::kFetchNotAllowed);
  }
  const auto endpoints = asking->registries->endpoints(repository);
  if (!endpoints) co_return refused(UnknownReason::kInvalidReference, endpoints.error());
  Unknown why;
  for (const Endpoint& endpoint : *endpoints) {
    Fact<FetchAnswer> answer = co_await call_endpoint(asking, endpoint, call);
    if (answer && answer->status == 200) {
      if (answer->header("content-encoding").empty() ||
          answer->header("content-encoding") == "identity") {
        co_return answer;
      }
      why = {UnknownReason::kInvalidContent, "it is served in an encoding that nobody asked for"};
    } else {
      why = answer ? unknown_of(*answer) : answer.error();
    }
    why.detail = endpoint.base.authority() + (why.detail.empty() ? "" : ": " + why.detail);
  }
  co_return std::unexpected(why);
}

}  // namespace plimsoll::webhook::registry
