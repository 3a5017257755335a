#include "policy/image_waste.h"

#include <algorithm>
#include <array>
#include <map>

#include "policy/image_history.h"
#include "policy/package_commands.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

constexpr std::uint64_t kWorthALook = 1u << 20U;  // bytes; smaller layers are not compared
constexpr std::uint64_t kTiny = 1024;             // bytes; smaller ones are no loss
constexpr std::size_t kMaxScript = 16 * 1024;     // bytes of an instruction
constexpr std::size_t kMaxSigns = 1000;

constexpr std::array<std::string_view, 20> kTools = {
    "build-essential", "build-base", "gcc",    "g++",     "gcc-c++", "clang",  "llvm",  "make",
    "cmake",           "ninja",      "golang", "go",      "maven",   "gradle", "rustc", "rust",
    "cargo",           "gdb",        "bazel",  "automake"};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_build_tool(std::string_view package) {
  if (std::ranges::find(kTools, package) != kTools.end()) return true;
  const bool headers = package.ends_with("-dev") || package.ends_with("-devel");
  const bool jdk = package.ends_with("-jdk") || package.ends_with("-jdk-headless");
  return headers || jdk || package.starts_with("gcc-") || package.starts_with("g++-");
}

// "gcc, make": the compilers and -dev packages that an instruction installs and does not remove.
std::string build_tools(const PackageWork& work) {
  if (work.removes) return "";
  constexpr std::size_t kShown = 5;
  std::string text;
  std::size_t count = 0;
  for (const std::string_view package : work.installed) {
    if (!is_build_tool(package)) continue;
    if (++count > kShown) return text + ", ...";
    text += (text.empty() ? "" : ", ") + printable(package, 40);
  }
  return text;
}

bool is_copy(std::string_view instruction) {
  return instruction.starts_with("COPY ") || instruction.starts_with("ADD ");
}

bool is_remote(std::string_view instruction) {
  if (!instruction.starts_with("ADD ")) return false;
  std::string_view rest = instruction.substr(4);
  while (rest.starts_with("--")) {  // --chown=app
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  }
  return rest.starts_with("http://") || rest.starts_with("https://");
}

class WasteSearch {
 public:
  WasteSearch(const Manifest& manifest, const ImageConfig* config)
      : origins_(layer_origins(manifest, config)) {}

  std::vector<WasteSign> run() {
    for (const LayerOrigin& origin : origins_) {
      if (!origin.layer->is_filesystem) continue;
      look_at_storage(origin);
      if (origin.history != nullptr && !origin.is_empty) look_at_instruction(origin);
      below_ += origin.layer->size;
    }
    return std::move(signs_);
  }

 private:
  void add(WasteKind kind,
           const LayerOrigin& origin,
           bool proof,
           std::string what,
           std::string_view advice,
           std::uint64_t at_most) {
    if (signs_.size() == kMaxSigns) return;
    constexpr std::size_t kRunes = 80;
    std::string text = "layer " + std::to_string(origin.index + 1) + " " + std::move(what);
    if (origin.history != nullptr) {
      text += ": " + shown_instruction(origin.history->created_by, kRunes);
    }
    signs_.push_back({kind, origin.index, proof, std::move(text), std::string(advice), at_most});
  }

  void look_at_storage(const LayerOrigin& origin) {
    const Layer& layer = *origin.layer;
    if (origin.is_empty) return;
    const auto [first, is_new] = seen_.try_emplace(layer.digest, origin.index);
    if (!is_new && layer.size >= kTiny) {
      add(WasteKind::kRepeatedLayer,
          origin,
          true,
          "is the same as layer " + std::to_string(first->second + 1),
          "leave the second instruction out",
          0);
    }
    if (layer.compression == LayerCompression::kNone && layer.size >= kWorthALook) {
      add(WasteKind::kUncompressed,
          origin,
          true,
          "is stored without compression",
          "push with gzip or zstd",
          layer.size);
    }
  }

  void look_at_instruction(const LayerOrigin& origin) {
    const std::string plain = plain_instruction(origin.history->created_by);
    const std::string_view text = std::string_view(plain).substr(0, kMaxScript);
    if (is_remote(text)) {
      add(WasteKind::kRemoteAdd,
          origin,
          false,
          "adds a file from a server",
          "download, check and remove it in one RUN",
          origin.layer->size);
    }
    if (is_copy(text) && origin.layer->size >= kWorthALook) {
      copied_.emplace(origin.layer->size, origin.index);
    }
    constexpr std::string_view kRun = "RUN ";
    if (text.starts_with(kRun)) look_at_run(origin, text.substr(kRun.size()));
  }

  void look_at_run(const LayerOrigin& origin, std::string_view script) {
    const std::uint64_t size = origin.layer->size;
    const PackageWork work = package_work(script);
    if (work.only_cleans) {
      if (size >= kWorthALook || below_ < kWorthALook) return;
      add(WasteKind::kRemovedLater,
          origin,
          false,
          "only removes; what it removes stays in the layers below",
          "remove in the RUN that added it",
          below_);
      return;
    }
    const std::string tools = build_tools(work);
    if (!tools.empty()) {
      add(WasteKind::kBuildTools,
          origin,
          false,
          "installs " + tools + " and keeps what it installs",
          "build in a stage of its own and copy the result",
          size);
    }
    if (!work.managers.empty()) {
      add(WasteKind::kPackageCache,
          origin,
          false,
          "keeps the lists or the cache of " + std::string(work.managers.front()),
          work.advice,
          size);
    }
    look_at_copies(origin, script, size);
  }

  // chown, chmod and mv store every file once more: the layer has about the size of a COPY below.
  void look_at_copies(const LayerOrigin& origin, std::string_view script, std::uint64_t size) {
    const bool touches = has(script, "chown -") || has(script, "chmod -") || has(script, "cp -r") ||
                         has(script, "cp -a") || script.starts_with("mv ") || has(script, " mv ");
    if (!touches || size < kWorthALook) return;
    const auto at = copied_.lower_bound(size - size / 11);  // 110 % of the copied layer's size
    if (at == copied_.end() || size * 5 < at->first * 3) return;  // 60 %
    add(WasteKind::kCopiedTwice,
        origin,
        false,
        "has about the size of layer " + std::to_string(at->second + 1) +
            ": the same files once more, with another owner, mode or place",
        "use COPY --chown or --chmod, or copy to the right place at once",
        size);
  }

  std::vector<LayerOrigin> origins_;
  std::map<std::string_view, std::size_t> seen_;
  std::multimap<std::uint64_t, std::size_t> copied_;  // size of COPY and ADD layers -> index
  std::uint64_t below_ = 0;                           // bytes of the layers below
  std::vector<WasteSign> signs_;
};

}  // namespace

std::vector<WasteSign> find_waste(const Manifest& manifest, const ImageConfig* config) {
  return WasteSearch(manifest, config).run();
}

}  // namespace plimsoll::policy
