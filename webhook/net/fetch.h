// What an HTTP client is asked for and what it answers. Nothing of Asio or Beast is in here.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "webhook/net/url.h"

namespace plimsoll::webhook::net {

using Clock = std::chrono::steady_clock;
using Headers = std::vector<std::pair<std::string, std::string>>;

// Until when something must have happened; whoever waits keeps it.
struct Deadline {
  Clock::time_point at = Clock::time_point::max();

  static Deadline in(std::chrono::milliseconds time) { return {Clock::now() + time}; }
  bool passed() const { return Clock::now() >= at; }
  // The sooner of both.
  Clock::time_point within(std::chrono::milliseconds time) const {
    return std::min(at, Clock::now() + time);
  }
};

enum class FetchFault : std::uint8_t {
  kDns,
  kConnect,
  kTls,
  kWantsCertificate,  // it hung up on us because we showed none (RFC 8446 6.2)
  kTimeout,
  kAddressBlocked,
  kTooLarge,
  kBroken,       // reset, ended early, or not HTTP
  kNotAllowed,   // by a proxy, or a rule about it
  kStopped,      // the sink wanted no more
  kBreaker,      // not asked: left alone after failures
  kRateLimited,  // not asked: it wants to be asked later
  kOverloaded,   // not asked: too much else is
};

struct FetchError {
  FetchFault fault = FetchFault::kBroken;
  std::string detail;  // a clause for people: "connection refused"; no text of the peer
};

class ClientTls;

// What the caller knows of the server that it names.
struct ServerAccess {
  bool configured = false;  // private addresses are fine, whoever runs us said so
  bool named = false;       // whoever runs us named it: it may be asked through a proxy
  std::shared_ptr<const ClientTls> tls;
  std::string tls_name = {};  // that its certificate is for; empty: the URL's host
};

// Takes a piece of the body; false: no more is wanted.
using BodySink = std::function<bool(std::string_view piece)>;

struct FetchRequest {
  std::string_view method = "GET";  // constants only; GET and HEAD are tried again where a kept
                                    // connection turns out to be dead
  bool repeatable = false;          // so may be any other method: twice does no harm
  Url url;
  ServerAccess access;
  Headers headers;
  std::string body;
  std::uint64_t body_limit = 64 * 1024;        // of the answer; beyond it kTooLarge
  std::chrono::milliseconds body_time{3'000};  // from the head to the end of the body
  std::chrono::milliseconds stall_time{0};     // instead, without a byte; 0: body_time holds
  std::chrono::milliseconds head_time{0};      // until the head is there; 0: as the client has it
  BodySink sink;                               // takes the body of a 200 or 206; else it is kept
  std::function<void()> opened;                // called before the sink, when the head is there
  Deadline deadline;
};

struct FetchAnswer {
  unsigned status = 0;
  Headers headers;  // in their order, names in lower case
  std::string body;

  // The first of that name, given in lower case; empty where there is none.
  std::string_view header(std::string_view name) const;
};

using FetchResult = std::expected<FetchAnswer, FetchError>;

}  // namespace plimsoll::webhook::net
