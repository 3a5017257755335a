// TLS as a client: the system's authorities and those that a file names; host names are checked.
#pragma once

#include <memory>
#include <string>

#include "policy/result.h"

namespace plimsoll::webhook::net {

// A context for asking servers: TLS 1.2 and 1.3, http/1.1 only. Never changed once made.
class ClientTls {
 public:
  struct Native;

  ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;
  ~ClientTls();

  // `extra_authorities`: PEM text, may be empty; the error says what is wrong with it.
  static policy::Result<std::shared_ptr<const ClientTls>> make(
      const std::string& extra_authorities);

  Native& native() const { return *native_; }

 private:
  std::unique_ptr<Native> native_;
};

}  // namespace plimsoll::webhook::net
