#include "webhook/cluster/raw_json.h"

namespace plimsoll::webhook::cluster {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

RawParts::RawParts(std::string_view text) : text_(text) {
  skip_blanks();
  if (peek() == '{') end_ = '}';
  if (peek() == '[') end_ = ']';
  ended_ = end_ == '\0';
  ++at_;
}

void RawParts::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

// From one quote to behind the other.
bool RawParts::skip_text() {
  ++at_;
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size()) return false;
  ++at_;
  return true;
}

bool RawParts::skip_nested() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_text()) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

bool RawParts::skip_value() {
  const char c = peek();
  if (c == '"') return skip_text();
  if (c == '{' || c == '[') return skip_nested();
  const std::size_t start = at_;
  const std::size_t end = text_.find_first_of(",]} \t\r\n", at_);
  at_ = end == std::string_view::npos ? text_.size() : end;
  return at_ > start;
}

bool RawParts::take_key(RawPart& part) {
  if (peek() != '"') return false;
  const std::size_t start = at_ + 1;
  if (!skip_text()) return false;
  part.key = text_.substr(start, at_ - 1 - start);
  skip_blanks();
  if (peek() != ':') return false;
  ++at_;
  skip_blanks();
  return true;
}

bool RawParts::finish() {
  ended_ = true;
  if (peek() != end_) return false;
  ++at_;
  skip_blanks();
  complete_ = at_ == text_.size();
  return false;
}

bool RawParts::next(RawPart& part) {
  if (ended_) return false;
  skip_blanks();
  if (peek() == end_ || (!first_ && peek() != ',')) return finish();
  if (!first_) {
    ++at_;
    skip_blanks();
  }
  first_ = false;
  part.key = {};
  if (is_object() && !take_key(part)) {
    ended_ = true;
    return false;
  }
  const std::size_t start = at_;
  if (!skip_value()) {
    ended_ = true;
    return false;
  }
  part.value = text_.substr(start, at_ - start);
  return true;
}

std::string_view raw_member(std::string_view object, std::string_view key) {
  RawParts parts(object);
  RawPart part;
  std::string_view found;
  while (parts.next(part)) {
    if (part.key == key) found = part.value;
  }
  return parts.is_object() && parts.complete() ? found : std::string_view();
}

}  // namespace plimsoll::webhook::cluster
