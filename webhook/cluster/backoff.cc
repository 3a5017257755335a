#include "webhook/cluster/backoff.h"

#include <algorithm>
#include <random>

namespace plimsoll::webhook::cluster {

std::chrono::milliseconds random_time(std::chrono::milliseconds from,
                                      std::chrono::milliseconds to) {
  static thread_local std::minstd_rand numbers{std::random_device{}()};
  std::uniform_int_distribution<std::chrono::milliseconds::rep> spread(from.count(), to.count());
  return std::chrono::milliseconds(spread(numbers));
}

std::chrono::milliseconds Backoff::next() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ > kForgottenAfter + step_) step_ = kFirst;
  const std::chrono::milliseconds wait = random_time(step_ / 10, step_);
  step_ = std::min(2 * step_, kLongest);
  last_ = now;
  return wait;
}

}  // namespace plimsoll::webhook::cluster
