// Byte offsets of a text made into lines and columns, counted in characters.
#pragma once

#include <cstddef>
#include <string_view>

#include "webhook/documents/document.h"

namespace plimsoll::webhook::documents {

// Offsets must grow: for one that goes back, the place of the last one is returned.
class TextPosition {
 public:
  explicit TextPosition(std::string_view text, Position start = {})
      : text_(text), current_(start) {}

  Position locate(std::size_t offset);

 private:
  std::string_view text_;
  Position current_;
  std::size_t offset_ = 0;
};

}  // namespace plimsoll::webhook::documents
