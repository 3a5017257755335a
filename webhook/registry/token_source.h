// Bearer tokens for registries (distribution/distribution, docs/content/spec/auth/token.md).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "policy/unknown.h"
#include "webhook/net/http_client.h"
#include "webhook/registry/credentials.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxTokens = 5'000;
inline constexpr std::size_t kMaxTokenBytes = 16 * 1024;

struct TokenRequest {
  net::Url realm;
  net::ServerAccess access;
  std::string service;
  std::string path;       // of the repository: what is asked for is always our own scope
  Credential credential;  // anonymous: none is sent
  net::Deadline deadline;
};

// Used on one thread.
class TokenSource {
 public:
  // Told every request that is sent, and what came of it.
  using Observer = std::function<void(
      const net::Url& realm, const net::FetchResult& result, net::Clock::time_point began)>;
  TokenSource(net::HttpClient& client, Observer observer)
      : client_(client), observer_(std::move(observer)) {}

  struct Token {
    std::string value;
    bool cached = false;
  };
  // Kept for as long as the server says, less 10 s, 15 minutes at most; a minute where it says
  // nothing. Never shared between credentials or repositories.
  boost::asio::awaitable<policy::Fact<Token>> token(TokenRequest request);
  // The registry did not take it.
  void drop(const TokenRequest& request);

 private:
  struct Kept {
    std::string value;
    net::Clock::time_point until;
  };
  static std::string key_of(const TokenRequest& request);

  net::HttpClient& client_;
  Observer observer_;
  std::map<std::string, Kept> kept_;
};

}  // namespace plimsoll::webhook::registry
