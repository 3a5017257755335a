#include "webhook/layers/layer_content.h"

#include <utility>

#include <openssl/evp.h>

namespace plimsoll::webhook::layers {
namespace {

class Sha256 {
 public:
  Sha256() { reset(); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256() { EVP_MD_CTX_free(context_); }

  void reset() { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  ContentHash finish() {
    ContentHash hash{};
    EVP_DigestFinal_ex(context_, hash.data(), nullptr);
    return hash;
  }

 private:
  EVP_MD_CTX* context_ = EVP_MD_CTX_new();
};

std::string digest_text(const ContentHash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "sha256:";
  for (const unsigned char byte : hash) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

bool is_database(std::string_view path) {
  return path == "var/lib/dpkg/status" || path.starts_with("var/lib/dpkg/status.d/") ||
         path == "lib/apk/db/installed" || path == "usr/lib/apk/db/installed";
}

bool is_rpm_database(std::string_view path) {
  return path.starts_with("var/lib/rpm/Packages") || path == "var/lib/rpm/rpmdb.sqlite" ||
         path.starts_with("usr/lib/sysimage/rpm/");
}

}  // namespace

class LayerScan::Collector final : public TarVisitor {
 public:
  explicit Collector(LayerContent& content) : content_(content) { content.hashes.emplace_back(); }

  void entry(const TarEntry& entry) override {
    hashing_ = entry.type == EntryType::kFile && entry.size >= kHashedFrom;
    database_ = nullptr;
    const bool full = content_.entries.size() >= kMaxLayerEntries ||
                      content_.paths.size() + entry.path.size() > kMaxLayerPathBytes;
    if (entry.path.empty() || full) {
      content_.truncated = content_.truncated || full;
      hashing_ = false;
      return;
    }
    LayerEntry kept;
    kept.type = entry.type;
    kept.mode = static_cast<std::uint16_t>(entry.mode);
    kept.size = entry.type == EntryType::kFile ? entry.size : 0;
    content_.file_bytes += kept.size;
    set_path(kept, entry.path);
    content_.entries.push_back(kept);
    if (hashing_) hash_.reset();
    content_.has_rpm_database = content_.has_rpm_database || is_rpm_database(entry.path);
    if (entry.type == EntryType::kFile && entry.size <= kMaxDatabaseBytes &&
        is_database(entry.path) && database_bytes_ + entry.size <= kMaxDatabasesBytes) {
      database_bytes_ += entry.size;
      database_ = &content_.databases.emplace_back();
      database_->path = entry.path;
    }
  }

  void data(std::string_view piece) override {
    if (hashing_) hash_.add(piece);
    if (database_ != nullptr) database_->content += piece;
  }

  void end_of_entry() override {
    if (!hashing_) return;
    hashing_ = false;
    content_.entries.back().hash = static_cast<std::uint32_t>(content_.hashes.size());
    content_.hashes.push_back(hash_.finish());
  }

 private:
  // opencontainers/image-spec layer.md: ".wh.NAME" removes NAME, ".wh..wh..opq" what lies below.
  void set_path(LayerEntry& kept, std::string_view path) {
    constexpr std::string_view kOpaque = ".wh..wh..opq";
    constexpr std::string_view kWhiteout = ".wh.";
    const std::size_t slash = path.rfind('/');
    const std::size_t name_at = slash == std::string_view::npos ? 0 : slash + 1;
    const std::string_view name = path.substr(name_at);
    kept.path_at = static_cast<std::uint32_t>(content_.paths.size());
    if (name == kOpaque) {
      kept.opaque = true;
      content_.paths += path.substr(0, name_at > 0 ? name_at - 1 : 0);
    } else if (name.starts_with(kWhiteout) && name != kWhiteout) {
      kept.whiteout = true;
      content_.paths += path.substr(0, name_at);
      content_.paths += name.substr(kWhiteout.size());
    } else {
      content_.paths += path;
    }
    kept.path_bytes = static_cast<std::uint32_t>(content_.paths.size() - kept.path_at);
  }

  LayerContent& content_;
  Sha256 hash_;
  bool hashing_ = false;
  PackageDatabase* database_ = nullptr;
  std::uint64_t database_bytes_ = 0;
};

struct LayerScan::State {
  LayerContent content;
  Collector collector{content};
  TarReader tar{collector};
  Decompressor decompressor{kMaxLayerBytes};
  Sha256 unpacked;
  std::string error;

  bool unpack(std::string_view piece) {
    content.tar_bytes += piece.size();
    unpacked.add(piece);
    return tar.feed(piece);
  }
  bool failed() {
    error = tar.error().empty() ? decompressor.error() : tar.error();
    if (error.empty()) error = "it cannot be read";
    return false;
  }
};

LayerScan::LayerScan() : state_(std::make_unique<State>()) {}
LayerScan::~LayerScan() = default;

bool LayerScan::feed(std::string_view bytes) {
  State& state = *state_;
  if (!state.error.empty()) return false;
  state.content.packed_bytes += bytes.size();
  const auto sink = [&state](std::string_view piece) { return state.unpack(piece); };
  return state.decompressor.feed(bytes, sink) || state.failed();
}

bool LayerScan::finish() {
  State& state = *state_;
  if (!state.error.empty()) return false;
  const auto sink = [&state](std::string_view piece) { return state.unpack(piece); };
  if (!state.decompressor.finish(sink) || !state.tar.finish()) return state.failed();
  state.content.diff_id = digest_text(state.unpacked.finish());
  state.content.compression = state.decompressor.compression();
  return true;
}

const std::string& LayerScan::error() const {
  return state_->error;
}

LayerContent LayerScan::take() {
  return std::move(state_->content);
}

}  // namespace plimsoll::webhook::layers
