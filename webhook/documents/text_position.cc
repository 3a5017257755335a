#include "webhook/documents/text_position.h"

#include <algorithm>

namespace plimsoll::webhook::documents {

Position TextPosition::locate(std::size_t offset) {
  offset = std::min(offset, text_.size());
  for (; offset_ < offset; ++offset_) {
    const auto byte = static_cast<unsigned char>(text_[offset_]);
    if (byte == '\n') {
      ++current_.line;
      current_.column = 1;
    } else if ((byte & 0xc0) != 0x80) {  // not a continuation byte of UTF-8
      ++current_.column;
    }
  }
  return current_;
}

}  // namespace plimsoll::webhook::documents
