// Those who wait for the same answer: it is asked for once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace plimsoll::webhook::cluster {

enum class Boarding : std::uint8_t {
  kFirst,    // nobody is asking yet: the caller does, and calls land() in the end
  kAnother,  // somebody is asking already
  kFull,     // too much else is asked for: `ready` was not kept
};

// Used on one thread only.
class Flights {
 public:
  // `most`: keys that are asked for at the same time.
  explicit Flights(std::size_t most) : most_(most) {}

  Boarding join(const std::string& key, std::function<void()> ready) {
    const auto at = waiting_.find(key);
    if (at != waiting_.end()) {
      at->second.push_back(std::move(ready));
      return Boarding::kAnother;
    }
    if (waiting_.size() >= most_) return Boarding::kFull;
    waiting_[key].push_back(std::move(ready));
    return Boarding::kFirst;
  }
  void land(const std::string& key) {
    auto flight = waiting_.extract(key);
    if (flight.empty()) return;
    for (const std::function<void()>& ready : flight.mapped()) ready();
  }

 private:
  std::size_t most_;
  std::map<std::string, std::vector<std::function<void()>>> waiting_;
};

}  // namespace plimsoll::webhook::cluster
