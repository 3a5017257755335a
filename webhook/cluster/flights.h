// Those who wait for the same answer: it is asked for once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace plimsoll::webhook::cluster {

// Used on one thread only.
class Flights {
 public:
  // True: nobody is asking yet, and the caller does, and calls land() in the end.
  bool join(const std::string& key, std::function<void()> ready) {
    auto& waiting = waiting_[key];
    waiting.push_back(std::move(ready));
    return waiting.size() == 1;
  }
  void land(const std::string& key) {
    auto flight = waiting_.extract(key);
    if (flight.empty()) return;
    for (const std::function<void()>& ready : flight.mapped()) ready();
  }

 private:
  std::map<std::string, std::vector<std::function<void()>>> waiting_;
};

}  // namespace plimsoll::webhook::cluster
