// Which addresses we connect to on the word of a stranger: everybody who may create a pod chooses
// the registry that is asked.
#pragma once

#include <cstdint>

#include <boost/asio/ip/address.hpp>

namespace plimsoll::webhook::net {

enum class AddressClass : std::uint8_t {
  kPublic,
  kPrivate,    // loopback, RFC 1918, fc00::/7, 100.64/10: only for hosts that are configured
  kForbidden,  // link-local (metadata services), unspecified, multicast, reserved: never
};

// IPv4 addresses inside of IPv6 ones (mapped, NAT64, 6to4, Teredo) are judged as what they are.
AddressClass classify(const boost::asio::ip::address& address);

}  // namespace plimsoll::webhook::net
