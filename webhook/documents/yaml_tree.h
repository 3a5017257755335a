// One YAML document as a tree of typed scalars, sequences, maps and aliases, made from parser
// events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "webhook/documents/document.h"
#include "webhook/documents/text_position.h"

namespace plimsoll::webhook::documents {

enum class YamlKind : std::uint8_t { kScalar, kKey, kSequence, kMap, kAlias };

struct YamlNode {
  static constexpr std::uint32_t kNone = 0xffffffff;

  YamlKind kind = YamlKind::kScalar;
  bool is_merge = false;  // the key `<<`
  bool is_null = false;
  Position position;
  std::uint32_t first_child = kNone;  // of a map: key, value, key, value, ...
  std::uint32_t last_child = kNone;
  std::uint32_t next = kNone;
  std::uint32_t target = kNone;  // of an alias; never an alias itself
  std::size_t text_at = 0;       // a scalar's JSON text, a key's characters
  std::size_t text_bytes = 0;
};

// Takes the events of one document at a time. After a problem it ignores what follows, so that the
// parser's own syntax check goes on without memory growing.
class YamlTree : public YAML::EventHandler {
 public:
  // `text` is what the parser reads, `start` where it stands in the file.
  YamlTree(std::string_view text, Position start, const DocumentLimits& limits)
      : position_(text, start), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

  // The root is node 0; none for a document without content.
  const std::vector<YamlNode>& nodes() const { return nodes_; }
  std::string_view text_of(const YamlNode& node) const {
    return std::string_view(texts_).substr(node.text_at, node.text_bytes);
  }
  const std::optional<DocumentProblem>& problem() const { return problem_; }
  // Line and column in the file of a place that the parser names.
  Position locate(const YAML::Mark& mark);

 private:
  struct Open {
    std::uint32_t node = 0;
    bool key_is_next = false;  // a map waits for a key
  };

  bool key_expected() const { return !open_.empty() && open_.back().key_is_next; }
  bool is_open(std::uint32_t node) const;
  YamlNode* add(YamlKind kind, Position position, YAML::anchor_t anchor);
  void add_scalar(Position position,
                  YAML::anchor_t anchor,
                  std::string_view tag,
                  std::string_view value);
  void open(YamlKind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
  void close();
  void set_text(YamlNode& node, std::string_view text);
  void fail(Position position, std::string message);

  TextPosition position_;
  const DocumentLimits& limits_;
  std::vector<YamlNode> nodes_;
  std::string texts_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, std::uint32_t> anchors_;
  Position last_key_;
  std::optional<DocumentProblem> problem_;
};

}  // namespace plimsoll::webhook::documents
