#include "policy/rules/secret_shape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "policy/ascii.h"

namespace plimsoll::policy::rules {
namespace {

constexpr bool is_word(char c) {
  return is_alnum(c) || c == '_' || c == '-';
}

bool equals(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, {}, to_lower);
}

bool ends_with(std::string_view a, std::string_view lower_case) {
  return a.size() >= lower_case.size() &&
         equals(a.substr(a.size() - lower_case.size()), lower_case);
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [word](std::string_view w) { return equals(word, w); });
}

// The next word of a name: words end at anything that is no letter or digit, and before a capital
// that follows a small letter (apiKey).
std::string_view take_word(std::string_view& name) {
  while (!name.empty() && !is_alnum(name.front())) name.remove_prefix(1);
  std::size_t end = 0;
  while (end < name.size() && is_alnum(name[end])) {
    if (end > 0 && is_upper(name[end]) && is_lower(name[end - 1])) break;
    ++end;
  }
  const std::string_view word = name.substr(0, end);
  name.remove_prefix(end);
  return word;
}

constexpr std::array<std::string_view, 3> kPasswordEndings = {"password", "passwd", "passphrase"};
constexpr std::array<std::string_view, 3> kPasswordWords = {"pwd", "passcode", "passwords"};
constexpr std::array<std::string_view, 6> kSecretEndings = {
    "secret", "token", "apikey", "privatekey", "accesskey", "secretkey"};
constexpr std::array<std::string_view, 4> kSecretWords = {
    "secrets", "credential", "credentials", "apitoken"};
constexpr std::array<std::string_view, 9> kKeyKinds = {
    "api", "access", "private", "secret", "encryption", "signing", "auth", "account", "license"};

// A last word that says that the name is about a secret, not the secret.
constexpr std::array<std::string_view, 70> kAbout = {
    "file",     "files",      "path",     "dir",       "directory", "name",       "names",
    "url",      "uri",        "host",     "port",      "endpoint",  "ttl",        "expiry",
    "expires",  "expiration", "timeout",  "lifetime",  "interval",  "age",        "length",
    "size",     "count",      "limit",    "min",       "max",       "enabled",    "disabled",
    "required", "type",       "kind",     "algorithm", "issuer",    "audience",   "header",
    "policy",   "prefix",     "suffix",   "id",        "ref",       "version",    "location",
    "field",    "region",     "in",       "days",      "hours",     "minutes",    "seconds",
    "ms",       "attempts",   "retries",  "rounds",    "cost",      "iterations", "history",
    "format",   "encoding",   "backend",  "provider",  "store",     "manager",    "mode",
    "method",   "allowed",    "validity", "duration",  "strategy",  "service",    "namespace"};

// Several of a kind are numbered: PASSWORD1, API_KEY_2.
std::string_view without_number(std::string_view word) {
  while (!word.empty() && is_digit(word.back())) word.remove_suffix(1);
  return word;
}

bool is_password_word(std::string_view word) {
  const auto ends = [word](std::string_view ending) { return ends_with(word, ending); };
  return is_one_of(word, kPasswordWords) || std::ranges::any_of(kPasswordEndings, ends);
}

bool is_secret_word(std::string_view word) {
  const auto ends = [word](std::string_view ending) { return ends_with(word, ending); };
  return is_one_of(word, kSecretWords) || std::ranges::any_of(kSecretEndings, ends);
}

struct NameTraits {
  bool password = false;
  bool secret = false;
  bool about = false;
};

// Every word that matters has a p (pass, pwd), a c (secret, credential) or a k (key, token) in it;
// most names can be left at that.
bool may_be_secret(std::string_view name) {
  return name.find_first_of("pPcCkK") != std::string_view::npos;
}

NameTraits traits_of(std::string_view name) {
  NameTraits traits;
  if (!may_be_secret(name)) return traits;
  std::string_view before;
  while (!name.empty()) {
    const std::string_view word = without_number(take_word(name));
    if (word.empty()) continue;
    traits.password = traits.password || is_password_word(word);
    traits.secret = traits.secret || is_secret_word(word) ||
                    (equals(word, "key") && is_one_of(before, kKeyKinds));
    before = word;
  }
  traits.password = traits.password || equals(before, "pass");  // DB_PASS, but not PASS_THROUGH
  traits.about = (traits.password || traits.secret) && is_one_of(before, kAbout);
  return traits;
}

struct Prefix {
  std::string_view text;
  std::size_t least;  // how many word characters must follow
  std::string_view what;
};

constexpr std::array<Prefix, 19> kPrefixes = {{
    {"AKIA", 16, "an AWS access key"}, {"ASIA", 16, "an AWS access key"},
    {"ghp_", 36, "a GitHub token"},    {"gho_", 36, "a GitHub token"},
    {"ghu_", 36, "a GitHub token"},    {"ghs_", 36, "a GitHub token"},
    {"ghr_", 36, "a GitHub token"},    {"github_pat_", 22, "a GitHub token"},
    {"glpat-", 20, "a GitLab token"},  {"xoxb-", 10, "a Slack token"},
    {"xoxp-", 10, "a Slack token"},    {"xoxa-", 10, "a Slack token"},
    {"xoxr-", 10, "a Slack token"},    {"xoxs-", 10, "a Slack token"},
    {"AIza", 35, "a Google API key"},  {"npm_", 36, "an npm token"},
    {"sk_live_", 16, "a Stripe key"},  {"dckr_pat_", 20, "a Docker Hub token"},
    {"pypi-", 40, "a PyPI token"},
}};

constexpr std::size_t kShortestShape = 8;   // "a://b:c@"
constexpr std::size_t kShortestToken = 15;  // "xoxb-" and ten more
constexpr std::string_view kFirstOfToken = "Agxnsdpe";

std::size_t word_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_word(text[length])) ++length;
  return length;
}

std::string_view prefixed_token(std::string_view at_word) {
  for (const Prefix& prefix : kPrefixes) {
    if (!at_word.starts_with(prefix.text)) continue;
    const std::string_view rest = at_word.substr(prefix.text.size());
    const std::size_t length = word_length(rest);
    const bool aws = prefix.least == 16 && prefix.text.size() == 4;
    if (aws ? length == prefix.least : length >= prefix.least) return prefix.what;
  }
  return {};
}

// header.payload.signature, the first two JSON objects in base64url ("eyJ" is `{"`).
bool is_jwt(std::string_view at_word) {
  for (int part = 0; part < 2; ++part) {
    const std::size_t length = word_length(at_word);
    if (length < 10 || !at_word.starts_with("eyJ")) return false;
    if (length >= at_word.size() || at_word[length] != '.') return false;
    at_word.remove_prefix(length + 1);
  }
  return word_length(at_word) >= 10;
}

// "https", or "jdbc:postgresql".
bool is_scheme(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '+' || c == '.' || c == '-' || c == ':';
  });
}

// What stands behind "scheme://"; empty where there is no such thing.
std::string_view url_rest(std::string_view value) {
  const std::size_t colon = value.find("://");
  if (colon == std::string_view::npos || !is_scheme(value.substr(0, colon))) return {};
  return value.substr(colon + 3);
}

bool is_reference(std::string_view text) {
  return text.find("$(") != std::string_view::npos || text.find("${") != std::string_view::npos;
}

// `url` begins behind "scheme://".
bool has_password(std::string_view url) {
  const std::string_view authority = url.substr(0, url.find_first_of("/?# \t\r\n\"'"));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view user = authority.substr(0, at);
  const std::size_t colon = user.find(':');
  if (colon == std::string_view::npos || colon + 1 == user.size()) return false;
  return !is_reference(user.substr(colon + 1));
}

// `text` begins with "://". Any URL in it counts: a value may be a list of them, or an option that
// holds one.
bool has_url_with_password(std::string_view text) {
  for (std::size_t at = 0; at != std::string_view::npos; at = text.find("://")) {
    text.remove_prefix(at + 3);
    if (has_password(text)) return true;
  }
  return false;
}

bool has_secret_query(std::string_view text) {
  const std::size_t question = text.find('?');
  if (question == std::string_view::npos) return false;
  std::string_view query = text.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equal = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equal + 1, pair.size()));
    if (!value.empty() && !is_reference(value) && is_secret_name(pair.substr(0, equal)))
      return true;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

bool is_file_path(std::string_view value) {
  const bool rooted = value.starts_with('/') || value.starts_with("./") || value.starts_with("../");
  return rooted && std::ranges::all_of(value, [](char c) {
           return is_word(c) || c == '/' || c == '.' || c == '@';
         });
}

constexpr std::array<std::string_view, 14> kFlags = {"0",
                                                     "1",
                                                     "true",
                                                     "false",
                                                     "yes",
                                                     "no",
                                                     "on",
                                                     "off",
                                                     "none",
                                                     "null",
                                                     "enabled",
                                                     "disabled",
                                                     "required",
                                                     "optional"};

}  // namespace

bool is_secret_name(std::string_view name) {
  const NameTraits traits = traits_of(name);
  return (traits.password || traits.secret) && !traits.about;
}

bool is_password_name(std::string_view name) {
  return traits_of(name).password;
}

std::string_view secret_shape(std::string_view value) {
  if (value.size() < kShortestShape) return {};
  if (value.find("PRIVATE KEY-----") != std::string_view::npos) return "a private key";
  if (const std::size_t url = value.find("://"); url != std::string_view::npos) {
    if (has_url_with_password(value.substr(url))) return "a URL with a password";
    if (has_secret_query(value.substr(url))) return "a URL with a secret in its query";
  }
  if (value.size() < kShortestToken) return {};
  for (std::size_t i = 0; i + kShortestToken <= value.size(); ++i) {
    if (kFirstOfToken.find(value[i]) == std::string_view::npos) continue;
    if (i > 0 && is_word(value[i - 1])) continue;
    const std::string_view at_word = value.substr(i);
    const std::string_view token = prefixed_token(at_word);
    if (!token.empty()) return token;
    if (is_jwt(at_word)) return "a JSON web token";
  }
  return {};
}

bool is_harmless_value(std::string_view value) {
  if (value.empty() || is_reference(value) || is_one_of(value, kFlags)) return true;
  return is_file_path(value) || !url_rest(value).empty();
}

bool is_number(std::string_view value) {
  constexpr std::string_view kInNumbers = "0123456789.smhdw";  // 1h30m, 250ms, 7d
  return !value.empty() && is_digit(value.front()) &&
         value.find_first_not_of(kInNumbers) == std::string_view::npos;
}

}  // namespace plimsoll::policy::rules
