// A value that is replaced as a whole while others read it.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace plimsoll::webhook::net {

// A mutex, because std::atomic<std::shared_ptr> of libstdc++ 12 is a data race to TSan.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)) {}

  std::shared_ptr<const T> read() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

  void publish(std::shared_ptr<const T> value) {
    const std::scoped_lock lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace plimsoll::webhook::net
