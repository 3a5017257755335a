#include "webhook/documents/yaml_tree.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "webhook/documents/scalar.h"

namespace plimsoll::webhook::documents {
namespace {

std::size_t sequence_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

// yaml-cpp 0.7 makes single bytes of the escapes \N and \_ instead of U+0085 and U+00A0. They are
// the only invalid bytes that a text which was valid can turn into.
std::string with_valid_escapes(const std::string& text) {
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = sequence_bytes(text[i]);
    const bool is_stray = (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
    if (is_stray) valid += '\xc2';
    valid.append(text, i, bytes);
    i += bytes;
  }
  return valid;
}

}  // namespace

Position YamlTree::locate(const YAML::Mark& mark) {
  return position_.locate(mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos));
}

void YamlTree::fail(Position position, std::string message) {
  if (!problem_) problem_ = DocumentProblem{position, std::move(message)};
}

void YamlTree::OnDocumentStart(const YAML::Mark& mark) {
  nodes_.clear();
  texts_.clear();
  open_.clear();
  anchors_.clear();
  problem_.reset();
  last_key_ = locate(mark);
}

YamlNode* YamlTree::add(YamlKind kind, Position position, YAML::anchor_t anchor) {
  if (problem_) return nullptr;
  if (nodes_.size() >= limits_.values) {
    fail(position, fmt::format("more than {} values; split the file", limits_.values));
    return nullptr;
  }
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({});
  nodes_.back().kind = kind;
  nodes_.back().position = position;
  if (anchor != 0) anchors_[anchor] = index;
  if (!open_.empty()) {
    YamlNode& parent = nodes_[open_.back().node];
    if (parent.first_child == YamlNode::kNone) {
      parent.first_child = index;
    } else {
      nodes_[parent.last_child].next = index;
    }
    parent.last_child = index;
    if (parent.kind == YamlKind::kMap) open_.back().key_is_next = !open_.back().key_is_next;
  }
  return &nodes_.back();
}

void YamlTree::set_text(YamlNode& node, std::string_view text) {
  node.text_at = texts_.size();
  node.text_bytes = text.size();
  texts_ += text;
}

void YamlTree::add_scalar(Position position,
                          YAML::anchor_t anchor,
                          std::string_view tag,
                          std::string_view value) {
  if (problem_) return;
  const bool is_key = key_expected();
  if (is_key) last_key_ = position;
  const auto scalar = resolve_scalar(tag, value);
  if (!scalar) return fail(position, scalar.error());
  const auto text = is_key ? scalar_to_key(*scalar, value) : scalar_to_json(*scalar);
  if (!text) return fail(position, text.error());
  YamlNode* node = add(is_key ? YamlKind::kKey : YamlKind::kScalar, position, anchor);
  if (node == nullptr) return;
  node->is_merge = is_key && value == "<<" && (tag == "?" || tag == "tag:yaml.org,2002:merge");
  node->is_null = scalar->type == ScalarType::kNull;
  set_text(*node, *text);
}

void YamlTree::OnScalar(const YAML::Mark& mark,
                        const std::string& tag,
                        YAML::anchor_t anchor,
                        const std::string& value) {
  if (problem_) return;
  if (simdjson::validate_utf8(value)) {
    add_scalar(locate(mark), anchor, tag, value);
  } else {
    add_scalar(locate(mark), anchor, tag, with_valid_escapes(value));
  }
}

// The mark of a value that is not there is that of whatever comes next: its key is the better
// place.
void YamlTree::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (problem_) return;
  const bool is_value = !open_.empty() && nodes_[open_.back().node].kind == YamlKind::kMap &&
                        !open_.back().key_is_next;
  add_scalar(is_value ? last_key_ : locate(mark), anchor, "?", "");
}

bool YamlTree::is_open(std::uint32_t node) const {
  return std::ranges::any_of(open_, [node](const Open& open) { return open.node == node; });
}

void YamlTree::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (problem_) return;
  const Position position = locate(mark);
  if (key_expected()) return fail(position, "an alias cannot be a key; write the key itself");
  const auto known = anchors_.find(anchor);
  if (known == anchors_.end()) return fail(position, "this alias has no anchor before it");
  const std::uint32_t target = known->second;
  if (is_open(target)) return fail(position, "this alias is inside its own anchor");
  if (nodes_[target].kind == YamlKind::kKey) {
    return fail(position, "this alias means a key; write the value itself");
  }
  YamlNode* node = add(YamlKind::kAlias, position, 0);
  if (node != nullptr) node->target = target;
}

void YamlTree::open(YamlKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (problem_) return;
  const Position position = locate(mark);
  if (key_expected()) return fail(position, "a key must be a plain value, not a list or a map");
  if (open_.size() >= limits_.depth) {
    return fail(position, fmt::format("nested deeper than {} levels", limits_.depth));
  }
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  if (add(kind, position, anchor) != nullptr) open_.push_back({index, kind == YamlKind::kMap});
}

void YamlTree::close() {
  if (!problem_) open_.pop_back();
}

void YamlTree::OnSequenceStart(const YAML::Mark& mark,
                               const std::string&,
                               YAML::anchor_t anchor,
                               YAML::EmitterStyle::value) {
  open(YamlKind::kSequence, mark, anchor);
}

void YamlTree::OnMapStart(const YAML::Mark& mark,
                          const std::string&,
                          YAML::anchor_t anchor,
                          YAML::EmitterStyle::value) {
  open(YamlKind::kMap, mark, anchor);
}

}  // namespace plimsoll::webhook::documents
