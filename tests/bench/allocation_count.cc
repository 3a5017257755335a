#include "tests/bench/allocation_count.h"

#include <cstdlib>
#include <new>

namespace plimsoll::bench {
namespace {

thread_local Allocations counted;

void* count_and_allocate(std::size_t bytes, std::size_t alignment) {
  ++counted.calls;
  counted.bytes += bytes;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, rounded)
                                                       : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

Allocations allocations() {
  return counted;
}

}  // namespace plimsoll::bench

using plimsoll::bench::count_and_allocate;

// The array and nothrow forms of the library call these.
void* operator new(std::size_t bytes) {
  return count_and_allocate(bytes, 1);
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return count_and_allocate(bytes, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
