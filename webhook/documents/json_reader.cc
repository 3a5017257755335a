#include "webhook/documents/json_reader.h"

#include <cstddef>
#include <expected>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/documents/text_position.h"

namespace plimsoll::webhook::documents {
namespace {

namespace json = policy::json;

constexpr std::string_view kBlanks = " \t\r\n";

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(kBlanks, at), text.size());
}

// Behind the closing quote; `at` is behind the opening one.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// Behind the object or list that begins at `at`, by its brackets alone.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at + 1);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return at;
}

std::size_t end_of_word(std::string_view text, std::size_t at) {
  while (at < text.size() && kBlanks.find(text[at]) == std::string_view::npos && text[at] != ',' &&
         text[at] != '}' && text[at] != ']') {
    ++at;
  }
  return at;
}

// A key between its quotes, decoded by the parser where it has escapes.
std::string key_text(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return std::string(raw);
  json::Parser parser;
  json::Element element;
  const simdjson::padded_string quoted(fmt::format("\"{}\"", raw));
  if (parser.parse(quoted).get(element) != simdjson::SUCCESS) return std::string(raw);
  return std::string(json::as_text(element).value_or(raw));
}

// Walks text that is known to be valid JSON.
class PositionScanner {
 public:
  PositionScanner(std::string_view text, TextPosition& position, std::size_t base, Budget& budget)
      : text_(text), position_(position), base_(base), budget_(budget) {}

  std::expected<PositionMap, DocumentProblem> run() {
    value(PositionMap::kNone, "", position_.locate(base_));
    while (!problem_ && !stack_.empty()) step();
    if (problem_) return std::unexpected(*std::move(problem_));
    return std::move(map_);
  }

 private:
  struct Frame {
    bool is_object = false;
    std::size_t count = 0;
    PositionMap::Index place = PositionMap::kNone;
    std::unordered_set<std::string> keys;
  };

  Position here() { return position_.locate(base_ + at_); }

  void step() {
    at_ = skip_blanks(text_, at_);
    if (text_[at_] == ',') at_ = skip_blanks(text_, at_ + 1);
    if (text_[at_] == '}' || text_[at_] == ']') {
      ++at_;
      stack_.pop_back();
    } else if (stack_.back().is_object) {
      member();
    } else {
      const std::string index = std::to_string(stack_.back().count++);
      value(stack_.back().place, index, here());
    }
  }

  void member() {
    const Position key_position = here();
    const std::size_t end = end_of_string(text_, at_ + 1);
    std::string key = key_text(text_.substr(at_ + 1, end - at_ - 2));
    at_ = skip_blanks(text_, end);  // the colon
    at_ = skip_blanks(text_, at_ + 1);
    Frame& frame = stack_.back();
    const PositionMap::Index place = frame.place;
    if (!frame.keys.insert(key).second) {
      problem_ = DocumentProblem{
          key_position, fmt::format("the key {} is here twice; remove one", policy::quoted(key))};
      return;
    }
    value(place, key, key_position);
  }

  void value(PositionMap::Index parent, std::string_view token, Position key) {
    if (budget_.values == 0) {
      problem_ = DocumentProblem{key, "too many values; split the file"};
      return;
    }
    --budget_.values;
    const PositionMap::Index place = map_.add(parent, token, key, here());
    const char first = text_[at_];
    if (first == '{' || first == '[') {
      ++at_;
      stack_.push_back({first == '{', 0, place, {}});
    } else {
      at_ = first == '"' ? end_of_string(text_, at_ + 1) : end_of_word(text_, at_);
    }
  }

  std::string_view text_;
  TextPosition& position_;
  std::size_t base_;
  Budget& budget_;
  std::size_t at_ = 0;
  PositionMap map_;
  std::vector<Frame> stack_;
  std::optional<DocumentProblem> problem_;
};

struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Nothing where the text is not a row of objects and lists.
std::vector<Extent> extents(std::string_view text, std::size_t most) {
  std::vector<Extent> found;
  for (std::size_t at = skip_blanks(text, 0); at < text.size(); at = skip_blanks(text, at)) {
    if (text[at] != '{' && text[at] != '[') return {};
    const std::size_t end = end_of_value(text, at);
    found.push_back({at, end});
    if (found.size() > most) break;
    at = end;
  }
  return found;
}

}  // namespace

JsonOutcome read_json(std::string_view text,
                      Position start,
                      const DocumentLimits& limits,
                      Budget& budget,
                      DocumentStream& stream) {
  json::Parser parser;
  const std::vector<Extent> found = extents(text, limits.documents);
  for (const Extent& extent : found) {
    const std::string_view one = text.substr(extent.begin, extent.end - extent.begin);
    if (parser.allocate(one.size(), limits.depth) != simdjson::SUCCESS) {
      return JsonOutcome::kNotJson;
    }
    json::Element element;
    const simdjson::padded_string padded(one);
    if (parser.parse(padded).get(element) != simdjson::SUCCESS) return JsonOutcome::kNotJson;
  }
  TextPosition position(text, start);
  for (const Extent& extent : found) {
    const std::string_view one = text.substr(extent.begin, extent.end - extent.begin);
    const Position begin = position.locate(extent.begin);
    auto positions = PositionScanner(one, position, extent.begin, budget).run();
    if (!positions) {
      stream.problems.push_back(std::move(positions).error());
    } else if (one.size() > budget.json_bytes) {
      stream.problems.push_back({begin, "too large; split the file"});
    } else {
      budget.json_bytes -= one.size();
      stream.documents.push_back({std::string(one), *std::move(positions), begin, ""});
    }
  }
  return found.empty() ? JsonOutcome::kNotJson : JsonOutcome::kRead;
}

}  // namespace plimsoll::webhook::documents
