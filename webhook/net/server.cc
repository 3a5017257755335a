#include "webhook/net/server.h"

#include <algorithm>
#include <csignal>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "webhook/net/cpu_limit.h"
#include "webhook/net/front.h"
#include "webhook/net/listener.h"

namespace plimsoll::webhook::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr unsigned kMaxFronts = 16;
constexpr std::chrono::milliseconds kDrainTick{50};
constexpr std::chrono::milliseconds kHurry{2000};

// Work that is done again and again on the thread of `run`.
class Periodic {
 public:
  Periodic(asio::io_context& io, std::chrono::milliseconds period, std::function<void()> work)
      : timer_(io), period_(period), work_(std::move(work)) {}

  void start() {
    timer_.expires_after(period_);
    timer_.async_wait([this](const error_code& error) {
      if (error) return;
      work_();
      start();
    });
  }

 private:
  asio::steady_timer timer_;
  std::chrono::milliseconds period_;
  std::function<void()> work_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(const ServerOptions& options, const Snapshot<TlsContext>& tls, Handler& handler)
      : options_(options),
        tls_(tls),
        handler_(handler),
        back_(plain_counters_, options.max_handshakes) {
    unsigned count = options.front_threads;
    if (count == 0) count = usable_processors();
    for (unsigned i = 0; i < std::min(count, kMaxFronts); ++i)
      fronts_.emplace_back(counters_, options.max_handshakes);
  }

  policy::Result<std::string> listen(std::string_view address) {
    std::vector<Front*> fronts;
    for (Front& front : fronts_) fronts.push_back(&front);
    const SessionContext context{handler_, counters_, options_, draining_, &lane_};
    listeners_.emplace_back(back_.io(), std::move(fronts), context, &tls_, &demand_);
    return listeners_.back().open(address);
  }

  policy::Result<std::string> listen_plain(std::string_view address, Handler& handler) {
    const std::vector<Front*> fronts = {&back_};
    const SessionContext context{handler, plain_counters_, options_, draining_, nullptr};
    plain_listeners_.emplace_back(back_.io(), fronts, context, nullptr, nullptr);
    return plain_listeners_.back().open(address);
  }

  void every(std::chrono::milliseconds period, std::function<void()> work) {
    periodic_.emplace_back(back_.io(), period, std::move(work));
  }

  int run();
  void on_signal(int number);
  void begin_drain();
  void hurry();
  void check_drain();
  void stop_accepting();
  void wait_for_signal();

  ServerOptions options_;
  const Snapshot<TlsContext>& tls_;
  Handler& handler_;
  ClientDemand demand_;
  ServerCounters counters_;
  ServerCounters plain_counters_;
  std::atomic<bool> draining_ = false;
  std::deque<Front> fronts_;
  asio::io_context lane_{1};
  Front back_;
  std::deque<Listener> listeners_;
  std::deque<Listener> plain_listeners_;
  std::deque<Periodic> periodic_;
  asio::signal_set signals_{back_.io(), SIGTERM, SIGINT, SIGHUP};
  std::function<void()> on_hangup_;
  std::function<void()> on_drain_;
  Clock::time_point drain_began_;
  Clock::time_point hurry_until_ = Clock::time_point::max();
  bool accepting_ = true;
};

void Server::Impl::wait_for_signal() {
  signals_.async_wait([this](const error_code& error, int number) {
    if (error) return;
    on_signal(number);
    wait_for_signal();
  });
}

void Server::Impl::on_signal(int number) {
  if (number == SIGHUP) {
    if (on_hangup_) on_hangup_();
    return;
  }
  const bool again = draining_;
  if (!again) begin_drain();
  if (again || number == SIGINT) hurry();
}

void Server::Impl::begin_drain() {
  draining_ = true;
  drain_began_ = Clock::now();
  if (on_drain_) on_drain_();
  periodic_.emplace_back(back_.io(), kDrainTick, [this] { check_drain(); });
  periodic_.back().start();
}

void Server::Impl::hurry() {
  stop_accepting();
  hurry_until_ = Clock::now() + kHurry;
}

void Server::Impl::stop_accepting() {
  accepting_ = false;
  for (Listener& listener : listeners_) listener.close();
}

void Server::Impl::check_drain() {
  const Clock::time_point now = Clock::now();
  if (accepting_ && now >= drain_began_ + options_.shutdown_delay) stop_accepting();
  const bool hurrying = hurry_until_ != Clock::time_point::max();
  const bool empty = !accepting_ && (hurrying ? counters_.busy : counters_.open) == 0;
  const bool late = now >= drain_began_ + options_.drain_timeout || now >= hurry_until_;
  if (empty || late) back_.io().stop();
}

int Server::Impl::run() {
  std::signal(SIGPIPE, SIG_IGN);
  wait_for_signal();
  for (Front& front : fronts_) front.start_thread();
  auto lane_work = asio::make_work_guard(lane_);
  std::thread lane([this] { lane_.run(); });
  for (Listener& listener : listeners_) listener.start();
  for (Listener& listener : plain_listeners_) listener.start();
  for (Periodic& periodic : periodic_) periodic.start();
  back_.start_sweeping();
  back_.io().run();
  lane_work.reset();
  lane_.stop();
  lane.join();  // before the fronts: it works on what their connections own
  for (Front& front : fronts_) front.stop();
  // Its connections end here, too: they must not outlive their listeners.
  back_.stop();
  back_.io().restart();
  back_.io().poll();
  return 0;
}

Server::Server(const ServerOptions& options, const Snapshot<TlsContext>& tls, Handler& handler)
    : impl_(std::make_unique<Impl>(options, tls, handler)) {}
Server::~Server() = default;

policy::Result<std::string> Server::listen(std::string_view address) {
  return impl_->listen(address);
}
policy::Result<std::string> Server::listen_plain(std::string_view address, Handler& handler) {
  return impl_->listen_plain(address, handler);
}
void Server::demand_certificates(const Snapshot<ClientAuthorities>& clients,
                                 ClientRefused refused) {
  impl_->demand_ = {&clients, std::move(refused)};
}
void Server::every(std::chrono::milliseconds period, std::function<void()> work) {
  impl_->every(period, std::move(work));
}
void Server::on_hangup(std::function<void()> work) {
  impl_->on_hangup_ = std::move(work);
}
void Server::on_drain(std::function<void()> work) {
  impl_->on_drain_ = std::move(work);
}
int Server::run() {
  return impl_->run();
}
bool Server::draining() const {
  return impl_->draining_;
}
const ServerCounters& Server::counters() const {
  return impl_->counters_;
}

}  // namespace plimsoll::webhook::net
