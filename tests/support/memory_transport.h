// Lets a session run over Beast's stream in memory. Include before session.h.
#pragma once

#include <boost/beast/_experimental/test/stream.hpp>

#include "webhook/net/transport.h"

namespace plimsoll::webhook::net {

using MemoryStream = boost::beast::test::stream;

inline MemoryStream& raw_stream(MemoryStream& stream) {
  return stream;
}
inline void close_stream(MemoryStream& stream) {
  stream.close();
}
inline void stop_sending(MemoryStream& stream) {
  stream.close();
}
inline boost::asio::awaitable<void> say_goodbye(MemoryStream& stream) {
  stream.close();
  co_return;
}

}  // namespace plimsoll::webhook::net
