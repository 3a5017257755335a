#include "webhook/net/name_resolver.h"

#include <mutex>
#include <netdb.h>
#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace plimsoll::webhook::net {
namespace {

namespace asio = boost::asio;

NameResolver::Addresses ask_system(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  NameResolver::Addresses addresses;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return addresses;
  constexpr std::size_t kMaxAddresses = 16;
  for (const addrinfo* at = list; at != nullptr && addresses.size() < kMaxAddresses;
       at = at->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    endpoint.resize(at->ai_addrlen);
    std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
    addresses.push_back(endpoint.address());
  }
  freeaddrinfo(list);
  return addresses;
}

}  // namespace

// One name on its way; the timer lives as long as somebody waits.
struct NameResolver::LookUp {
  asio::steady_timer* wake = nullptr;
  bool finished = false;
  Addresses addresses;
};

// Shared with the threads that ask the system, some of which may never come back.
struct NameResolver::Lane {
  std::mutex mutex;
  asio::io_context* io = nullptr;  // nullptr: nobody wants to know any more
  unsigned running = 0;            // guarded by the mutex
};

NameResolver::NameResolver(asio::io_context& io) : io_(io), lane_(std::make_shared<Lane>()) {
  lane_->io = &io;
}

NameResolver::~NameResolver() {
  const std::scoped_lock lock(lane_->mutex);
  lane_->io = nullptr;
}

asio::awaitable<std::expected<NameResolver::Addresses, FetchError>> NameResolver::resolve(
    std::string name, Deadline deadline) {
  boost::system::error_code error;
  const asio::ip::address literal = asio::ip::make_address(name, error);
  if (!error) co_return Addresses{literal};
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.until > Clock::now()) {
    co_return known->second.addresses;
  }
  {
    const std::scoped_lock lock(lane_->mutex);
    if (lane_->running >= kMaxLookUps) {
      co_return std::unexpected(FetchError{FetchFault::kDns, "too many names at once"});
    }
    ++lane_->running;
  }
  asio::steady_timer wake(io_);
  const auto look_up = std::make_shared<LookUp>();
  look_up->wake = &wake;
  std::thread([lane = lane_, look_up, name] {
    Addresses addresses = ask_system(name);
    const std::scoped_lock lock(lane->mutex);
    --lane->running;
    if (lane->io == nullptr) return;
    asio::post(*lane->io, [look_up, addresses = std::move(addresses)]() mutable {
      look_up->addresses = std::move(addresses);
      look_up->finished = true;
      if (look_up->wake != nullptr) look_up->wake->cancel();
    });
  }).detach();
  auto token = asio::redirect_error(asio::use_awaitable, error);
  wake.expires_at(deadline.at);
  co_await wake.async_wait(token);
  look_up->wake = nullptr;
  if (!look_up->finished) {
    co_return std::unexpected(FetchError{FetchFault::kTimeout, "the name service did not answer"});
  }
  if (look_up->addresses.empty()) {
    co_return std::unexpected(FetchError{FetchFault::kDns, "no address for the name"});
  }
  if (known_.size() >= kMaxNames) known_.clear();
  known_[name] = {look_up->addresses, Clock::now() + kNameLifetime};
  co_return look_up->addresses;
}

}  // namespace plimsoll::webhook::net
