// Why the API server did not do what it was asked for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "policy/json.h"
#include "webhook/net/fetch.h"

namespace plimsoll::webhook::cluster {

struct ApiError {
  unsigned code = 0;    // the HTTP status, or of a watch's ERROR event; 0: there was no answer
  std::string reason;   // metav1.StatusReason: "Conflict", "AlreadyExists", "NotFound", ...
  std::string message;  // for people; one line
  std::optional<std::chrono::seconds> retry_after;
  bool wants_certificate = false;  // it does not talk to clients that show none
  bool version_too_large = false;  // the server does not have that resourceVersion yet

  // What was asked for is so old that it is forgotten: list again.
  bool is_gone() const { return code == 410; }
  bool is_conflict() const { return code == 409 && reason != "AlreadyExists"; }
  bool no_answer() const { return code == 0; }
  // "403 Forbidden: ...", "no answer: connection refused".
  std::string text() const;
};

// Of an answer that is not 2xx; `body` may be anything.
ApiError error_of(unsigned status, std::string_view body);
// Of a metav1.Status.
ApiError error_of(const policy::json::Object& status);
ApiError error_of(const net::FetchError& error);

}  // namespace plimsoll::webhook::cluster
