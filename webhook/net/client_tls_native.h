// Asio's side of a client's TLS context: for the sources of this folder only.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "webhook/net/client_tls.h"

namespace plimsoll::webhook::net {

struct ClientTls::Native {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
};

}  // namespace plimsoll::webhook::net
