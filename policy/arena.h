// Memory for everything read out of one review: freed as a whole, kept for the next review.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

namespace plimsoll::policy {

// Not thread-safe. What it handed out is gone after `reset`.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `count` value-initialised elements; an empty span for none.
  template <class T>
  std::span<T> make_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    void* memory = resource_.allocate(count * sizeof(T), alignof(T));
    T* first = static_cast<T*>(memory);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }

  // A copy of `text` that lives as long as the arena's content.
  std::string_view keep(std::string_view text);

  void reset() { resource_.release(); }

 private:
  static constexpr std::size_t kFirstBlockBytes = 32 * 1024;
  alignas(std::max_align_t) std::array<std::byte, kFirstBlockBytes> first_block_;
  std::pmr::monotonic_buffer_resource resource_{first_block_.data(), first_block_.size()};
};

}  // namespace plimsoll::policy
