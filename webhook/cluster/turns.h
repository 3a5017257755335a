// Turns at a steady rate, after a burst of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "webhook/net/fetch.h"

namespace plimsoll::webhook::cluster {

// A bucket that refills; who finds it empty takes a turn in advance. Used on one thread only.
class Turns {
 public:
  Turns(double per_second, double burst, net::Clock::time_point now)
      : per_second_(per_second), burst_(burst), left_(burst), filled_(now) {}

  // How long until the turn that was taken. Nothing: it would come after the deadline, so that none
  // was taken, and those who ask later owe nothing for it.
  std::optional<std::chrono::milliseconds> take(net::Clock::time_point now,
                                                net::Deadline deadline) {
    const std::chrono::duration<double> passed = now - filled_;
    filled_ = now;
    left_ = std::min(burst_, left_ + passed.count() * per_second_);
    const std::chrono::duration<double> seconds(std::max(0.0, 1 - left_) / per_second_);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(seconds);
    if (now + wait >= deadline.at) return std::nullopt;
    left_ -= 1;
    return wait;
  }

 private:
  double per_second_;
  double burst_;
  double left_;  // below zero: taken in advance
  net::Clock::time_point filled_;
};

}  // namespace plimsoll::webhook::cluster
