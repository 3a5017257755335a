// Reads the parts of a policy document: known keys, types and limits, each problem with its place.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/json.h"
#include "policy/policy_document.h"

namespace plimsoll::policy {

inline constexpr std::size_t kMaxListEntries = 256;  // of every list and map of a document
inline constexpr std::size_t kMaxTextBytes = 1024;   // of every string of a document
inline constexpr std::size_t kMaxProblems = 100;     // told of one document

// A value of the document and where it stands.
struct Node {
  json::Element value;
  std::string pointer;

  Node member(std::string_view key, const json::Element& element) const;
  Node entry(std::size_t index, const json::Element& element) const;
};

// What is wrong so far; beyond kMaxProblems it only counts.
class Problems {
 public:
  void at_value(const Node& node, std::string message);
  void at_key(const Node& node, std::string message);
  // "must be `wanted`, not a list", with a hint where YAML made something else of a plain word.
  void wrong_type(const Node& node, std::string_view wanted);

  bool none() const { return problems_.empty(); }
  std::vector<Problem> take();

 private:
  void add(const Node& node, bool at_key, std::string message);

  std::vector<Problem> problems_;
  std::size_t dropped_ = 0;
};

struct Field {
  std::string_view key;
  std::function<void(const Node&)> read;
  bool required = false;
};

// Calls the field's reader for each member, in document order. Unknown, repeated and missing keys
// are problems.
void read_fields(const Node& node, std::span<const Field> fields, Problems& problems);

// Calls `read` for each member of a map whose keys are free; repeated keys and too many are
// problems.
void read_map(const Node& node,
              const std::function<void(std::string_view key, const Node&)>& read,
              Problems& problems);

// Calls `read` for each entry of a list; anything but a list, and too many, are problems.
void read_list(const Node& node, const std::function<void(const Node&)>& read, Problems& problems);

enum class Emptiness { kAllowed, kRefused };

std::optional<std::string> read_text(const Node& node, Emptiness empty, Problems& problems);

// Strings that are not empty, none twice. An empty list is a problem where it is refused: left out,
// a field matches everything, so an empty one is most likely a template that went wrong.
std::vector<std::string> read_texts(const Node& node, Emptiness empty, Problems& problems);

// The index of the word in `words`. `off_at` is the index that the boolean false stands for, since
// YAML 1.1 reads a plain `off` as false; nothing: none does.
std::optional<std::size_t> read_word(const Node& node,
                                     std::span<const std::string_view> words,
                                     std::optional<std::size_t> off_at,
                                     Problems& problems);

// `"a", "b" or "c"`, and `; did you mean "b"?` or an empty text.
std::string choices_text(std::span<const std::string_view> words);
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace plimsoll::policy
