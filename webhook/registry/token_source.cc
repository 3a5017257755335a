#include "webhook/registry/token_source.h"

#include <algorithm>

#include "policy/json.h"
#include "webhook/net/base64.h"
#include "webhook/registry/refusal.h"

namespace plimsoll::webhook::registry {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;
using policy::Fact;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::chrono::seconds kDefaultLife{60};
constexpr std::chrono::seconds kMostLife{15 * 60};
constexpr std::chrono::seconds kMargin{10};
constexpr std::chrono::milliseconds kTimeToRetry{1'500};
constexpr std::uint64_t kMaxAnswerBytes = 64 * 1024;
// Azure's way to say that the password is a refresh token.
constexpr std::string_view kNobody = "00000000-0000-0000-0000-000000000000";

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail) {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

struct ReadToken {
  std::string value;
  std::chrono::seconds life = kDefaultLife;
};

Fact<ReadToken> read_token(std::string_view body) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string text(body);
  const bool fine = parser.parse(text).get(root) == simdjson::SUCCESS;
  const auto object = fine ? json::as_object(root) : std::nullopt;
  if (!object) return refused(UnknownReason::kRegistryError, "the token service sent no JSON");
  ReadToken token;
  for (const std::string_view name : {"access_token", "token"}) {
    const auto member = json::last_member(*object, name);
    const auto value = member ? json::as_text(*member) : std::nullopt;
    if (value && !value->empty()) token.value = *value;
  }
  const bool usable =
      !token.value.empty() && token.value.size() <= kMaxTokenBytes &&
      std::ranges::all_of(token.value, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!usable) return refused(UnknownReason::kRegistryError, "the token service sent no token");
  const auto member = json::last_member(*object, "expires_in");
  const auto seconds = member ? json::as_integer(*member) : std::nullopt;
  if (seconds && *seconds > 0) {
    token.life = std::chrono::seconds(std::min<std::int64_t>(*seconds, kMostLife.count()));
  }
  return token;
}

bool is_refresh_token(const Credential& credential) {
  return !credential.identity_token.empty() || credential.user == "<token>" ||
         credential.user == kNobody;
}

net::FetchRequest request_for(const TokenRequest& wanted) {
  const std::string scope = "repository:" + wanted.path + ":pull";
  net::FetchRequest request;
  request.url = wanted.realm;
  request.access = wanted.access;
  request.deadline = wanted.deadline;
  request.body_limit = kMaxAnswerBytes;
  request.headers = {{"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
  const std::string query =
      "service=" + net::percent_encoded(wanted.service) + "&scope=" + net::percent_encoded(scope);
  const Credential& credential = wanted.credential;
  if (is_refresh_token(credential)) {
    const std::string& refresh =
        credential.identity_token.empty() ? credential.secret : credential.identity_token;
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = "grant_type=refresh_token&client_id=plimsoll&refresh_token=" +
                   net::percent_encoded(refresh) + "&" + query;
    return request;
  }
  request.url.target += (request.url.target.find('?') == std::string::npos ? "?" : "&") + query;
  if (!credential.user.empty() || !credential.secret.empty()) {
    request.headers.emplace_back(
        "Authorization", "Basic " + net::encode_base64(credential.user + ":" + credential.secret));
  }
  return request;
}

}  // namespace

std::string TokenSource::key_of(const TokenRequest& request) {
  return request.realm.shown() + "?" + request.realm.target + " " + request.service + " " +
         request.path + " " + request.credential.fingerprint();
}

void TokenSource::drop(const TokenRequest& request) {
  kept_.erase(key_of(request));
}

asio::awaitable<Fact<TokenSource::Token>> TokenSource::token(TokenRequest wanted) {
  const std::string key = key_of(wanted);
  const auto kept = kept_.find(key);
  if (kept != kept_.end() && kept->second.until > net::Clock::now()) {
    co_return Token{kept->second.value, true};
  }
  net::FetchResult answer = std::unexpected(net::FetchError{});
  for (int attempt = 0; attempt < 2; ++attempt) {
    net::FetchRequest request = request_for(wanted);
    const net::Clock::time_point began = net::Clock::now();
    answer = co_await client_.fetch(std::move(request));
    observer_(wanted.realm, answer, began);
    const bool not_ready = answer ? answer->status >= 502 && answer->status <= 504
                                  : answer.error().fault == net::FetchFault::kConnect;
    const bool time = wanted.deadline.at - net::Clock::now() > kTimeToRetry;
    if (!not_ready || !time) break;
  }
  if (!answer) co_return std::unexpected(unknown_of(answer.error()));
  const bool redirects = answer->status >= 300 && answer->status < 400;
  if (redirects) co_return refused(UnknownReason::kRedirectRefused, "the token service redirects");
  if (answer->status != 200) {
    Unknown why = unknown_of(*answer);
    const bool refusal = why.reason == UnknownReason::kNotFound || answer->status == 400;
    if (refusal) why.reason = UnknownReason::kUnauthorized;
    why.detail = "the token service: " + why.detail;
    co_return std::unexpected(std::move(why));
  }
  const auto read = read_token(answer->body);
  if (!read) co_return std::unexpected(read.error());
  if (kept_.size() >= kMaxTokens) kept_.clear();
  kept_[key] = {read->value, net::Clock::now() + read->life - kMargin};
  co_return Token{read->value, false};
}

}  // namespace plimsoll::webhook::registry
