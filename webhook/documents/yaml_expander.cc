#include "webhook/documents/yaml_expander.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/printable.h"
#include "webhook/documents/scalar.h"

namespace plimsoll::webhook::documents {
namespace {

constexpr std::size_t kMaxMergeDepth = 16;  // of maps merged into maps that are merged

struct Member {
  std::string_view key;
  const YamlNode* value = nullptr;
  Position key_position;
  bool is_own = false;  // written in the map itself, not merged into it
};

class Members {
 public:
  explicit Members(const YamlTree& tree) : tree_(tree) {}

  // False: a key of the map itself is there twice.
  bool put(const YamlNode& key, const YamlNode& value, bool is_own) {
    const std::string_view text = tree_.text_of(key);
    const auto [at, is_new] = index_.try_emplace(text, list_.size());
    if (is_new) {
      list_.push_back({text, &value, key.position, is_own});
      return true;
    }
    Member& member = list_[at->second];
    if (is_own && member.is_own) return false;
    member = {text, &value, key.position, is_own || member.is_own};
    return true;
  }

  std::vector<Member> take() { return std::move(list_); }

 private:
  const YamlTree& tree_;
  std::vector<Member> list_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

// A sequence or map that is being written.
struct Frame {
  bool is_map = false;
  std::vector<Member> members;           // of a map
  std::size_t done = 0;                  // entries written
  std::uint32_t next = YamlNode::kNone;  // of a sequence
  PositionMap::Index place = PositionMap::kNone;
};

class Expander {
 public:
  Expander(const YamlTree& tree, const DocumentLimits& limits, Budget& budget)
      : tree_(tree), limits_(limits), budget_(budget) {}

  std::expected<Document, DocumentProblem> run() {
    const YamlNode& root = tree_.nodes().front();
    document_.start = root.position;
    write(root, PositionMap::kNone, "", root.position);
    while (!problem_ && !stack_.empty()) step();
    if (problem_) return std::unexpected(*std::move(problem_));
    budget_.json_bytes -= document_.json.size();
    return std::move(document_);
  }

 private:
  const YamlNode& resolved(const YamlNode& node) const {
    return node.kind == YamlKind::kAlias ? tree_.nodes()[node.target] : node;
  }

  const YamlNode* node_at(std::uint32_t index) const {
    return index == YamlNode::kNone ? nullptr : &tree_.nodes()[index];
  }

  void fail(Position position, std::string message) {
    if (!problem_) problem_ = DocumentProblem{position, std::move(message)};
  }

  // Counts one value; false where the input has become too large.
  bool spend(const YamlNode& node) {
    if (budget_.values == 0 || document_.json.size() > budget_.json_bytes) {
      fail(node.position,
           fmt::format("too large: more than {} values or {} MiB of JSON once "
                       "aliases are expanded; split the file",
                       limits_.values,
                       limits_.json_bytes >> 20));
      return false;
    }
    --budget_.values;
    return true;
  }

  void step() {
    Frame& frame = stack_.back();
    const bool at_end =
        frame.is_map ? frame.done == frame.members.size() : frame.next == YamlNode::kNone;
    if (at_end) {
      document_.json += frame.is_map ? '}' : ']';
      stack_.pop_back();
      return;
    }
    if (frame.done > 0) document_.json += ',';
    if (frame.is_map) {
      const Member member = frame.members[frame.done++];
      append_json_string(document_.json, member.key);
      document_.json += ':';
      write(*member.value, frame.place, member.key, member.key_position);
      return;
    }
    const YamlNode& element = tree_.nodes()[frame.next];
    frame.next = element.next;
    const std::string index = std::to_string(frame.done++);
    write(element, frame.place, index, element.position);
  }

  // `frame` references are gone after this: it may push.
  void write(const YamlNode& node,
             PositionMap::Index parent,
             std::string_view token,
             Position key) {
    if (!spend(node)) return;
    const YamlNode& value = resolved(node);
    const PositionMap::Index place = document_.positions.add(parent, token, key, node.position);
    if (value.kind == YamlKind::kScalar) {
      document_.json += tree_.text_of(value);
      return;
    }
    if (stack_.size() >= limits_.depth) {
      return fail(node.position, fmt::format("nested deeper than {} levels", limits_.depth));
    }
    Frame frame;
    frame.place = place;
    frame.is_map = value.kind == YamlKind::kMap;
    document_.json += frame.is_map ? '{' : '[';
    if (frame.is_map) {
      Members members(tree_);
      collect(value, members, 0);
      frame.members = members.take();
    } else {
      frame.next = value.first_child;
    }
    stack_.push_back(std::move(frame));
  }

  // Recursion ends at kMaxMergeDepth.
  void collect(const YamlNode& map, Members& members, std::size_t depth) {
    const YamlNode* key = node_at(map.first_child);
    while (key != nullptr && !problem_) {
      const YamlNode* value = node_at(key->next);
      if (value == nullptr) return;
      if (key->is_merge) {
        merge(*key, *value, members, depth);
      } else if (!members.put(*key, *value, depth == 0)) {
        fail(key->position,
             fmt::format("the key {} is here twice; remove one",
                         policy::quoted(tree_.text_of(*key))));
      } else if (depth > 0) {
        spend(*value);
      }
      key = node_at(value->next);
    }
  }

  // Of several maps the first wins: they are applied from the last to the first.
  void merge(const YamlNode& key, const YamlNode& value, Members& members, std::size_t depth) {
    constexpr std::string_view kWanted = "`<<` merges a map or a list of maps";
    if (depth >= kMaxMergeDepth) return fail(key.position, "maps are merged too deeply");
    std::vector<const YamlNode*> maps;
    const YamlNode& target = resolved(value);
    if (target.kind == YamlKind::kSequence) {
      for (const YamlNode* entry = node_at(target.first_child); entry != nullptr;
           entry = node_at(entry->next)) {
        if (!spend(*entry)) return;
        maps.push_back(&resolved(*entry));
      }
    } else {
      maps.push_back(&target);
    }
    while (!maps.empty() && !problem_) {
      const YamlNode& map = *maps.back();
      maps.pop_back();
      if (map.kind != YamlKind::kMap) return fail(value.position, std::string(kWanted));
      if (spend(map)) collect(map, members, depth + 1);
    }
  }

  const YamlTree& tree_;
  const DocumentLimits& limits_;
  Budget& budget_;
  Document document_;
  std::vector<Frame> stack_;
  std::optional<DocumentProblem> problem_;
};

}  // namespace

std::expected<Document, DocumentProblem> expand(const YamlTree& tree,
                                                const DocumentLimits& limits,
                                                Budget& budget) {
  return Expander(tree, limits, budget).run();
}

}  // namespace plimsoll::webhook::documents
