#include "webhook/layers/content_report.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace plimsoll::webhook::layers {
namespace {

// A path in the image as the layers so far make it.
struct Node {
  const LayerContent* content = nullptr;
  const LayerEntry* entry = nullptr;
  std::size_t layer = 0;
};

// What dive keeps of a path over all layers.
struct Visits {
  std::uint64_t cumulative = 0;
  std::uint64_t smallest = 0;
  std::size_t count = 0;

  void add(std::uint64_t bytes) {
    smallest = count == 0 ? bytes : std::min(smallest, bytes);
    cumulative += bytes;
    ++count;
  }
};

class Stack {
 public:
  explicit Stack(const std::vector<LayerContent>& contents) : contents_(contents) {}

  ContentReport run() {
    for (std::size_t layer = 0; layer < contents_.size(); ++layer) add_layer(layer);
    efficiency();
    wasted_paths();
    final_tree();
    packages();
    return std::move(report_);
  }

 private:
  using Tree = std::map<std::string_view, Node>;

  void add_layer(std::size_t layer) {
    const LayerContent& content = contents_[layer];
    LayerSummary& summary = report_.layers.emplace_back();
    summary.tar_bytes = content.tar_bytes;
    summary.file_bytes = content.file_bytes;
    summary.compression = content.compression;
    summary.diff_id = content.diff_id;
    report_.total_bytes += content.file_bytes;
    report_.truncated = report_.truncated || content.truncated;
    // Removals speak of the layers below, wherever they stand in this one.
    for (const LayerEntry& entry : content.entries) {
      if (entry.whiteout) remove(content.path(entry), true);
      if (entry.opaque) remove_below(content.path(entry));
    }
    std::set<std::string_view> parents;
    for (const LayerEntry& entry : content.entries) {
      const std::string_view path = content.path(entry);
      const std::size_t slash = path.rfind('/');
      if (slash != std::string_view::npos) parents.insert(path.substr(0, slash));
    }
    for (const LayerEntry& entry : content.entries) {
      if (entry.whiteout || entry.opaque) continue;
      summary.files += entry.type == EntryType::kFile ? 1 : 0;
      put(layer, content, entry);
      const std::string_view path = content.path(entry);
      const bool leaf = entry.type != EntryType::kDirectory || !parents.contains(path);
      if (leaf) visits_[path].add(entry.size);
    }
  }

  void lose(const Node& node) {
    report_.removable_bytes += node.entry->size;
    report_.layers[node.layer].removed_bytes += node.entry->size;
    lost_[node.content->path(*node.entry)] += node.entry->size;
  }

  void put(std::size_t layer, const LayerContent& content, const LayerEntry& entry) {
    const std::string_view path = content.path(entry);
    const auto at = tree_.find(path);
    if (at != tree_.end()) {
      if (at->second.entry->type == EntryType::kDirectory && entry.type != EntryType::kDirectory) {
        remove_below(path);
      }
      lose(at->second);
      tree_.erase(at);
    }
    tree_.emplace(path, Node{&content, &entry, layer});
  }

  // Bytes of what lies below a directory at present.
  std::uint64_t remove_below(std::string_view path) {
    std::uint64_t bytes = 0;
    const std::string prefix = path.empty() ? "" : std::string(path) + "/";
    auto at = tree_.lower_bound(prefix);
    while (at != tree_.end() && at->first.starts_with(prefix)) {
      bytes += at->second.entry->size;
      lose(at->second);
      at = tree_.erase(at);
    }
    return bytes;
  }

  void remove(std::string_view path, bool visit) {
    std::uint64_t below = remove_below(path);
    const auto at = tree_.find(path);
    if (at != tree_.end()) {
      lose(at->second);
      tree_.erase(at);
    }
    if (visit) visits_[path].add(below);
  }

  void efficiency() {
    std::uint64_t smallest = 0;
    std::uint64_t cumulative = 0;
    for (const auto& [path, visits] : visits_) {
      smallest += visits.smallest;
      cumulative += visits.cumulative;
      if (visits.count > 1) report_.wasted_bytes += visits.cumulative;
    }
    if (cumulative > 0) {
      report_.efficiency = static_cast<double>(smallest) / static_cast<double>(cumulative);
    }
  }

  void wasted_paths() {
    for (const auto& [path, bytes] : lost_) {
      if (bytes == 0) continue;
      const auto visits = visits_.find(path);
      const std::size_t layers = visits == visits_.end() ? 1 : visits->second.count;
      report_.wasted_paths.push_back({std::string(path), bytes, layers});
    }
    keep_largest(report_.wasted_paths);
  }

  static void keep_largest(std::vector<SizedPath>& paths) {
    std::ranges::sort(paths, [](const SizedPath& a, const SizedPath& b) {
      return a.bytes != b.bytes ? a.bytes > b.bytes : a.path < b.path;
    });
    if (paths.size() > kMaxListed) paths.resize(kMaxListed);
  }

  void final_tree() {
    std::map<std::string_view, std::map<std::size_t, std::uint64_t>> caches;
    std::map<std::string_view, std::map<std::size_t, std::uint64_t>> tools;
    std::map<ContentHash, std::vector<const Node*>> same;
    for (const auto& [path, node] : tree_) {
      const LayerEntry& entry = *node.entry;
      if (entry.type != EntryType::kFile) continue;
      if (const auto name = cache_of(path); !name.empty()) caches[name][node.layer] += entry.size;
      if (const auto name = build_tool_of(path); !name.empty()) {
        tools[name][node.layer] += entry.size;
      }
      if (entry.hash != 0) same[node.content->hashes[entry.hash]].push_back(&node);
      if (entry.size >= kLargeFrom)
        report_.large_files.push_back({std::string(path), entry.size, node.layer});
      if (report_.large_files.size() > 4 * kMaxListed) keep_largest(report_.large_files);
      constexpr unsigned kSetIds = 06000;
      if ((entry.mode & kSetIds) == 0) continue;
      ++report_.setuid_files;
      if (report_.setuid_paths.size() < kMaxListed) report_.setuid_paths.emplace_back(path);
    }
    keep_largest(report_.large_files);
    report_.caches = named(caches);
    report_.build_tools = named(tools);
    duplicates(same);
  }

  static std::vector<NamedBytes> named(
      const std::map<std::string_view, std::map<std::size_t, std::uint64_t>>& sums) {
    std::vector<NamedBytes> list;
    for (const auto& [name, by_layer] : sums) {
      NamedBytes& sum = list.emplace_back();
      sum.name = name;
      std::uint64_t most = 0;
      for (const auto& [layer, bytes] : by_layer) {
        sum.bytes += bytes;
        if (bytes >= most) sum.layer = layer;
        most = std::max(most, bytes);
      }
    }
    std::ranges::sort(list, [](const NamedBytes& a, const NamedBytes& b) {
      return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
    });
    return list;
  }

  void duplicates(const std::map<ContentHash, std::vector<const Node*>>& same) {
    for (const auto& [hash, nodes] : same) {
      if (nodes.size() < 2) continue;
      DuplicateGroup& group = report_.duplicates.emplace_back();
      group.bytes = nodes.front()->entry->size;
      for (const Node* node : nodes) group.paths.emplace_back(node->content->path(*node->entry));
      report_.duplicate_bytes += group.wasted();
    }
    std::ranges::sort(report_.duplicates, [](const DuplicateGroup& a, const DuplicateGroup& b) {
      return a.wasted() != b.wasted() ? a.wasted() > b.wasted() : a.paths < b.paths;
    });
    if (report_.duplicates.size() > kMaxListed) report_.duplicates.resize(kMaxListed);
  }

  // The databases of the image that containers see: each of the topmost layer that has it.
  void packages() {
    std::map<std::string, std::pair<std::size_t, const std::string*>> databases;
    for (std::size_t layer = 0; layer < contents_.size(); ++layer) {
      report_.has_rpm_database = report_.has_rpm_database || contents_[layer].has_rpm_database;
      for (const PackageDatabase& database : contents_[layer].databases) {
        const auto at = tree_.find(database.path);
        const bool there = at != tree_.end() && at->second.layer == layer;
        if (there) databases[database.path] = {layer, &database.content};
      }
    }
    std::uint64_t dpkg = 0;
    std::uint64_t apk = 0;
    for (const auto& [path, database] : databases) {
      const std::string& text = *database.second;
      if (path == "var/lib/dpkg/status") {
        dpkg += lines_with(text, "Status: install ok installed");
      } else if (path.starts_with("var/lib/dpkg/status.d/")) {
        dpkg += path.ends_with(".md5sums") ? 0 : 1;
      } else {
        apk += lines_with(text, "P:");
      }
    }
    if (dpkg > 0) report_.packages.push_back({"dpkg", dpkg});
    if (apk > 0) report_.packages.push_back({"apk", apk});
  }

  static std::uint64_t lines_with(std::string_view text, std::string_view beginning) {
    std::uint64_t count = 0;
    while (!text.empty()) {
      count += text.starts_with(beginning) ? 1 : 0;
      text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    return count;
  }

  const std::vector<LayerContent>& contents_;
  ContentReport report_;
  Tree tree_;
  std::map<std::string_view, Visits> visits_;
  std::map<std::string_view, std::uint64_t> lost_;
};

}  // namespace

ContentReport report_on(const std::vector<LayerContent>& contents) {
  return Stack(contents).run();
}

}  // namespace plimsoll::webhook::layers
