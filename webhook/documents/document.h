// YAML and JSON files as JSON text, with the line and column of every value and key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace plimsoll::webhook::documents {

// Counted from 1; columns in characters, not bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// JSON pointer -> where it stands in the file. Some 40 bytes a value.
class PositionMap {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;

  // `token` is a member's key or an element's index. The first call adds the root, below kNone.
  Index add(Index parent, std::string_view token, Position key, Position value);

  // Of the value; for a pointer that is not in the document, of its nearest ancestor that is.
  Position of_value(std::string_view pointer) const;
  // Of the member's key; of an array element: of the element.
  Position of_key(std::string_view pointer) const;

 private:
  struct Entry {
    Position key;
    Position value;
    Index first_child = kNone;
    Index last_child = kNone;
    Index next = kNone;
    std::uint32_t children = 0;
    std::uint32_t token_at = 0;
    std::uint32_t token_bytes = 0;
  };

  std::string_view token_of(const Entry& entry) const {
    return std::string_view(tokens_).substr(entry.token_at, entry.token_bytes);
  }
  Index search(Index from, std::string_view token) const;
  Index child(Index parent, std::string_view token) const;
  Index nearest(std::string_view pointer) const;

  static constexpr std::uint32_t kStride = 32;

  std::vector<Entry> entries_;
  std::string tokens_;
  // Every kStride-th child of long lists, by parent and number: 20,000 items are found fast.
  std::unordered_map<std::uint64_t, Index> milestones_;
};

// One document of a stream, not empty.
struct Document {
  std::string json;  // valid JSON text
  PositionMap positions;
  Position start;
  std::string source;  // of a "# Source: chart/templates/x.yaml" comment before it, else empty
};

struct DocumentProblem {
  Position position;
  std::string message;  // what, and what to do
};

// Documents before and after a bad one are kept, as far as the parser can go on.
struct DocumentStream {
  std::vector<Document> documents;
  std::vector<DocumentProblem> problems;
};

struct DocumentLimits {
  std::size_t bytes = 32u << 20;       // of the input
  std::size_t depth = 128;             // of nesting
  std::size_t json_bytes = 64u << 20;  // of JSON text per input, after aliases are expanded
  std::size_t documents = 20000;
  std::size_t values = 2'000'000;  // of all documents, after aliases are expanded
};

// `text` is YAML 1.1 as sigs.k8s.io/yaml reads it (a stream of documents), or JSON (one value, or
// several one after the other). Empty and comment-only documents are left out.
DocumentStream read_documents(std::string_view text, const DocumentLimits& limits = {});

}  // namespace plimsoll::webhook::documents
