// TLS as a client: which authorities are trusted, who we are; host names are always checked.
#pragma once

#include <memory>
#include <string>

#include "policy/result.h"

namespace plimsoll::webhook::net {

struct ClientTlsTerms {
  std::string authorities = {};  // PEM; may be empty where the system's count
  bool system_authorities = true;
  std::string certificate = {};  // of ourselves and its chain, PEM; empty: none
  std::string key = {};
};

// A context for asking servers: TLS 1.2 and 1.3, http/1.1 only. Never changed once made.
class ClientTls {
 public:
  struct Native;

  ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;
  ~ClientTls();

  // The error is a clause: "there is no certificate in it".
  static policy::Result<std::shared_ptr<const ClientTls>> make(const ClientTlsTerms& terms);

  Native& native() const { return *native_; }

 private:
  std::unique_ptr<Native> native_;
};

}  // namespace plimsoll::webhook::net
