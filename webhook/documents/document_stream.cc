#include <algorithm>
#include <spanstream>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "policy/printable.h"
#include "webhook/documents/document.h"
#include "webhook/documents/json_reader.h"
#include "webhook/documents/text_position.h"
#include "webhook/documents/yaml_expander.h"
#include "webhook/documents/yaml_tree.h"

namespace plimsoll::webhook::documents {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kMaxSourceBytes = 1024;     // of a "# Source:" comment
constexpr std::size_t kMaxOpenBrackets = 10'000;  // of a document, wherever they stand

bool is_utf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
         (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'));
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

// What no document of the text can be read with. The YAML parser takes byte 4 for the end of its
// input and would drop the rest without a word: control characters are refused here.
std::optional<DocumentProblem> unreadable(std::string_view text, const DocumentLimits& limits) {
  if (text.size() > limits.bytes) {
    return DocumentProblem{{},
                           fmt::format("larger than {} MiB; split the file", limits.bytes >> 20)};
  }
  if (is_utf16(text)) return DocumentProblem{{}, "UTF-16 text; save the file as UTF-8"};
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return DocumentProblem{{}, "not UTF-8 text; save the file as UTF-8"};
  }
  const auto control = std::ranges::find_if(text, is_control);
  if (control == text.end()) return std::nullopt;
  const auto offset = static_cast<std::size_t>(control - text.begin());
  return DocumentProblem{
      TextPosition(text).locate(offset),
      fmt::format("control character {}; remove it", policy::printable(text.substr(offset, 1)))};
}

std::string_view take_line(std::string_view text) {
  return text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
}

bool is_separator(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || kBlanks.find(line[3]) != std::string_view::npos);
}

// Behind the document that begins at `at`: the next `---` line, or the end. Such a line is never
// part of a scalar (YAML 1.2 section 9.1.2).
std::size_t end_of_document(std::string_view text, std::size_t at) {
  do {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return text.size();
    ++at;
  } while (!is_separator(text.substr(at, 4)));
  return at;
}

// The first thing that is neither blank, comment, nor a bare `---`, and what `# Source:` says
// before.
struct Head {
  std::size_t content = 0;
  std::string source;
};

Head read_head(std::string_view chunk) {
  constexpr std::string_view kSource = "# Source: ";
  Head head;
  while (head.content < chunk.size()) {
    const std::string_view line = take_line(chunk.substr(head.content));
    std::size_t first = is_separator(line) ? 3 : 0;
    first = std::min(line.find_first_not_of(kBlanks, first), line.size());
    if (first < line.size() && line[first] != '#') {
      head.content += first;
      return head;
    }
    if (line.starts_with(kSource) && line.size() <= kMaxSourceBytes) {
      const std::string_view source = line.substr(kSource.size());
      head.source = source.substr(0, source.find_last_not_of(kBlanks) + 1);
    }
    head.content += line.size();
  }
  return head;
}

std::string too_many_documents(const DocumentLimits& limits) {
  return fmt::format("more than {} documents; split the file", limits.documents);
}

bool is_null(const YamlTree& tree) {
  return tree.nodes().empty() || (tree.nodes().size() == 1 && tree.nodes().front().is_null);
}

// The YAML parser keeps some 200 bytes for each open bracket before it reports anything. Brackets
// in quotes and block scalars are counted as well, therefore a limit far above that of the depth.
bool has_too_many_brackets(std::string_view chunk) {
  std::size_t open = 0;
  bool comment = false;
  char before = '\n';
  for (const char c : chunk) {
    if (c == '\n') comment = false;
    if (c == '#' && kBlanks.find(before) != std::string_view::npos) comment = true;
    before = c;
    if (c == '[' || c == '{') {
      if (++open > kMaxOpenBrackets) return true;
    } else if (!comment && (c == ']' || c == '}') && open > 0) {
      --open;
    }
  }
  return false;
}

// How many documents a chunk may hold. The parser also begins a new one where a line does not fit
// the document before it, which is a mistake of indentation.
std::size_t documents_by_dots(std::string_view chunk) {
  std::size_t count = 1;
  for (std::size_t at = chunk.find("\n..."); at != std::string_view::npos;
       at = chunk.find("\n...", at + 1)) {
    ++count;
  }
  return count;
}

// Takes the document that the parser has just completed; false: nothing more can be read here.
bool take_document(const YamlTree& tree,
                   std::size_t& expected,
                   const DocumentLimits& limits,
                   Budget& budget,
                   DocumentStream& stream) {
  if (tree.problem()) {
    stream.problems.push_back(*tree.problem());
    return false;
  }
  if (tree.nodes().empty()) return true;
  const Position start = tree.nodes().front().position;
  if (expected == 0) {
    stream.problems.push_back({start,
                               "this does not belong to the document before it; check the "
                               "indentation, or begin a new document with ---"});
    return false;
  }
  --expected;
  if (is_null(tree)) return true;
  if (stream.documents.size() >= limits.documents) {
    stream.problems.push_back({start, too_many_documents(limits)});
    return false;
  }
  auto document = expand(tree, limits, budget);
  if (!document) {
    stream.problems.push_back(std::move(document).error());
    return false;
  }
  stream.documents.push_back(*std::move(document));
  return true;
}

// Everything in `chunk`: one document, or several that end with `...`. `language` is what the
// author may have meant it to be, for messages.
void read_yaml(std::string_view chunk,
               Position start,
               std::string_view language,
               const DocumentLimits& limits,
               Budget& budget,
               DocumentStream& stream) {
  if (has_too_many_brackets(chunk)) {
    stream.problems.push_back({start, fmt::format("nested deeper than {} levels", limits.depth)});
    return;
  }
  std::size_t expected = documents_by_dots(chunk);
  YamlTree tree(chunk, start, limits);
  try {
    std::ispanstream input{std::span<const char>(chunk)};
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(tree)) {
      if (!take_document(tree, expected, limits, budget, stream)) return;
    }
  } catch (const YAML::DeepRecursion& error) {
    stream.problems.push_back(
        tree.problem().value_or(DocumentProblem{tree.locate(error.mark), "nested too deeply"}));
  } catch (const YAML::Exception& error) {
    stream.problems.push_back(
        {tree.locate(error.mark), fmt::format("not {}: {}", language, error.msg)});
  }
}

void read_chunk(std::string_view chunk,
                Position start,
                const DocumentLimits& limits,
                Budget& budget,
                DocumentStream& stream) {
  const Head head = read_head(chunk);
  if (head.content == chunk.size()) return;
  const std::size_t before = stream.documents.size();
  const char first = chunk[head.content];
  const bool may_be_json = first == '{' || first == '[';
  bool done = false;
  if (may_be_json) {
    const Position content = TextPosition(chunk, start).locate(head.content);
    done = read_json(chunk.substr(head.content), content, limits, budget, stream) ==
           JsonOutcome::kRead;
  }
  if (!done) {
    read_yaml(chunk, start, may_be_json ? "JSON or YAML" : "YAML", limits, budget, stream);
  }
  for (std::size_t i = before; i < stream.documents.size(); ++i) {
    stream.documents[i].source = head.source;
  }
}

}  // namespace

DocumentStream read_documents(std::string_view text, const DocumentLimits& limits) {
  DocumentStream stream;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (auto problem = unreadable(text, limits)) {
    stream.problems.push_back(*std::move(problem));
    return stream;
  }
  Budget budget{limits.json_bytes, limits.values};
  std::uint32_t line = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = end_of_document(text, at);
    const std::string_view chunk = text.substr(at, end - at);
    if (stream.documents.size() + stream.problems.size() >= limits.documents) {
      stream.problems.push_back({{line, 1}, too_many_documents(limits)});
      return stream;
    }
    read_chunk(chunk, {line, 1}, limits, budget, stream);
    line += static_cast<std::uint32_t>(std::ranges::count(chunk, '\n'));
    at = end;
  }
  return stream;
}

}  // namespace plimsoll::webhook::documents
