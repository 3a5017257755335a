// JSON text cut into its members or elements, which nobody has judged: where a parser refuses the
// whole, its parts may still be read.
#pragma once

#include <cstddef>
#include <string_view>

namespace plimsoll::webhook::cluster {

struct RawPart {
  std::string_view key;  // of a member: as written, escapes and all
  std::string_view value;
};

// Goes through one object or one array. Linear, without recursion, whatever is in it.
class RawParts {
 public:
  // `text` outlives it.
  explicit RawParts(std::string_view text);

  bool is_object() const { return end_ == '}'; }
  bool is_array() const { return end_ == ']'; }
  // False: there is no further part, or it cannot be told where it ends.
  bool next(RawPart& part);
  // After next() was false: the text has ended where it should.
  bool complete() const { return complete_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks();
  bool skip_text();
  bool skip_nested();
  bool skip_value();
  bool take_key(RawPart& part);
  bool finish();

  std::string_view text_;
  std::size_t at_ = 0;
  char end_ = '\0';
  bool first_ = true;
  bool ended_ = false;
  bool complete_ = false;
};

// The last member of that name, as the API server takes it; empty: there is none, or `object` is
// no object whose members can be told apart.
std::string_view raw_member(std::string_view object, std::string_view key);

}  // namespace plimsoll::webhook::cluster
