#include "webhook/net/address_policy.h"

#include <algorithm>
#include <array>

namespace plimsoll::webhook::net {
namespace {

namespace ip = boost::asio::ip;

struct Range {
  std::uint32_t base;
  unsigned bits;
  AddressClass address_class;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

// RFC 6890 and what clouds use for metadata.
constexpr std::array<Range, 14> kRanges = {{
    {v4(0, 0, 0, 0), 8, AddressClass::kForbidden},
    {v4(169, 254, 0, 0), 16, AddressClass::kForbidden},
    {v4(100, 100, 100, 200), 32, AddressClass::kForbidden},
    {v4(168, 63, 129, 16), 32, AddressClass::kForbidden},
    {v4(192, 0, 0, 0), 24, AddressClass::kForbidden},
    {v4(224, 0, 0, 0), 4, AddressClass::kForbidden},
    {v4(240, 0, 0, 0), 4, AddressClass::kForbidden},
    {v4(198, 18, 0, 0), 15, AddressClass::kPrivate},
    {v4(127, 0, 0, 0), 8, AddressClass::kPrivate},
    {v4(10, 0, 0, 0), 8, AddressClass::kPrivate},
    {v4(172, 16, 0, 0), 12, AddressClass::kPrivate},
    {v4(192, 168, 0, 0), 16, AddressClass::kPrivate},
    {v4(100, 64, 0, 0), 10, AddressClass::kPrivate},
    {v4(192, 88, 99, 0), 24, AddressClass::kPrivate},
}};

AddressClass classify_v4(std::uint32_t address) {
  for (const Range& range : kRanges) {
    const std::uint32_t mask = range.bits == 0 ? 0 : ~std::uint32_t{0} << (32U - range.bits);
    if ((address & mask) == range.base) return range.address_class;
  }
  return AddressClass::kPublic;
}

std::uint32_t v4_at(const ip::address_v6::bytes_type& bytes,
                    std::size_t at,
                    std::uint8_t flip = 0) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8U) | static_cast<std::uint32_t>(bytes[at + i] ^ flip);
  }
  return value;
}

bool starts_with(const ip::address_v6::bytes_type& bytes,
                 std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

AddressClass classify_v6(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const bool first_ten_zero =
      std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; });
  if (address.is_loopback()) return AddressClass::kPrivate;
  if (first_ten_zero && bytes[10] == 0xff && bytes[11] == 0xff)
    return classify_v4(v4_at(bytes, 12));
  if (first_ten_zero) return AddressClass::kForbidden;  // unspecified, and the old v4-compatible
  if (starts_with(bytes, {0x00, 0x64, 0xff, 0x9b})) return classify_v4(v4_at(bytes, 12));
  if (starts_with(bytes, {0x20, 0x02})) return classify_v4(v4_at(bytes, 2));
  if (starts_with(bytes, {0x20, 0x01, 0x00, 0x00})) return classify_v4(v4_at(bytes, 12, 0xff));
  if (starts_with(bytes, {0xfd, 0x00, 0x0e, 0xc2})) return AddressClass::kForbidden;
  if ((bytes[0] & 0xfeU) == 0xfcU) return AddressClass::kPrivate;
  if (bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0x80U) != 0)) {
    return AddressClass::kForbidden;  // multicast, link-local, site-local
  }
  return AddressClass::kPublic;
}

}  // namespace

AddressClass classify(const ip::address& address) {
  return address.is_v4() ? classify_v4(address.to_v4().to_uint()) : classify_v6(address.to_v6());
}

}  // namespace plimsoll::webhook::net
