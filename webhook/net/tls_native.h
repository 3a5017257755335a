// Asio's side of a TLS context: for the sources of this folder only.
#pragma once

#include <utility>

#include <boost/asio/ssl/context.hpp>

#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {

struct TlsContext::Native {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
};

// Counts the peer's key updates into `count`, which must outlive `ssl`.
void count_key_updates(SSL* ssl, unsigned& count);

}  // namespace plimsoll::webhook::net
