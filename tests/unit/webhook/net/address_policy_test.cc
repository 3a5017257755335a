#include "webhook/net/address_policy.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

TEST(AddressPolicy, EveryRangeHasItsClass) {
  using enum AddressClass;
  const struct {
    const char* address;
    AddressClass address_class;
  } rows[] = {
      {"8.8.8.8", kPublic},
      {"172.15.255.255", kPublic},
      {"172.32.0.0", kPublic},
      {"2606:4700::1111", kPublic},
      {"127.0.0.1", kPrivate},
      {"127.255.255.255", kPrivate},
      {"10.0.0.1", kPrivate},
      {"172.16.0.1", kPrivate},
      {"192.168.1.1", kPrivate},
      {"100.64.0.1", kPrivate},
      {"::1", kPrivate},
      {"fd12::1", kPrivate},
      {"0.0.0.0", kForbidden},
      {"0.1.2.3", kForbidden},
      {"169.254.169.254", kForbidden},
      {"100.100.100.200", kForbidden},
      {"192.0.0.192", kForbidden},
      {"224.0.0.1", kForbidden},
      {"255.255.255.255", kForbidden},
      {"::", kForbidden},
      {"fe80::1", kForbidden},
      {"fec0::1", kForbidden},
      {"ff02::1", kForbidden},
      {"fd00:ec2::254", kForbidden},
      {"::ffff:169.254.169.254", kForbidden},
      {"::ffff:10.0.0.1", kPrivate},
      {"::ffff:8.8.8.8", kPublic},
      {"::169.254.169.254", kForbidden},
      {"64:ff9b::a9fe:a9fe", kForbidden},
      {"64:ff9b::808:808", kPublic},
      {"2002:a9fe:a9fe::1", kForbidden},
      {"2002:0a00:0001::", kPrivate},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(classify(boost::asio::ip::make_address(row.address)), row.address_class)
        << row.address;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::net
