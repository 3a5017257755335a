#include "policy/arena.h"

#include <cstring>

namespace plimsoll::policy {

std::string_view Arena::keep(std::string_view text) {
  const std::span<char> copy = make_array<char>(text.size());
  if (!text.empty()) std::memcpy(copy.data(), text.data(), text.size());
  return {copy.data(), copy.size()};
}

}  // namespace plimsoll::policy
