// Names to addresses, without blocking: one slow name never holds up another.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include "webhook/net/fetch.h"

namespace plimsoll::webhook::net {

inline constexpr std::chrono::seconds kNameLifetime{30};
inline constexpr std::size_t kMaxNames = 2'000;
inline constexpr unsigned kMaxLookUps = 16;  // at once

// Used on the thread of its io_context only.
class NameResolver {
 public:
  explicit NameResolver(boost::asio::io_context& io);
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;
  ~NameResolver();

  using Addresses = std::vector<boost::asio::ip::address>;
  // Addresses in text are returned as they are (by inet_pton's rules alone: "127.1" is a name).
  // Never empty.
  boost::asio::awaitable<std::expected<Addresses, FetchError>> resolve(std::string name,
                                                                       Deadline deadline);

 private:
  struct LookUp;
  struct Lane;
  struct Entry {
    Addresses addresses;
    Clock::time_point until;
  };

  boost::asio::io_context& io_;
  std::shared_ptr<Lane> lane_;
  std::map<std::string, Entry> known_;
};

}  // namespace plimsoll::webhook::net
