// Counts every allocation of the program that it is linked into: operator new is replaced.
#pragma once

#include <cstddef>

namespace plimsoll::bench {

struct Allocations {
  std::size_t calls = 0;
  std::size_t bytes = 0;
};

// Of the calling thread, since its start.
Allocations allocations();

}  // namespace plimsoll::bench
