// How long to wait after a failure: longer each time, and never in step with others.
#pragma once

#include <chrono>

namespace plimsoll::webhook::cluster {

// 0.8 s, then twice as much each time up to 30 s, each time a random part of it (full jitter, but
// never less than a tenth); from the start again after two minutes without a failure.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void reset() { step_ = kFirst; }

 private:
  static constexpr std::chrono::milliseconds kFirst{800};
  static constexpr std::chrono::milliseconds kLongest{30'000};
  static constexpr std::chrono::minutes kForgottenAfter{2};

  std::chrono::milliseconds step_ = kFirst;
  std::chrono::steady_clock::time_point last_;
};

// Uniform in [from, to].
std::chrono::milliseconds random_time(std::chrono::milliseconds from, std::chrono::milliseconds to);

}  // namespace plimsoll::webhook::cluster
