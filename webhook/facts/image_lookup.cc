#include "webhook/facts/image_lookup.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/image_insights.h"
#include "webhook/facts/lifetimes.h"
#include "webhook/registry/config_reader.h"
#include "webhook/registry/digest.h"

namespace plimsoll::webhook::facts {
namespace {

namespace asio = boost::asio;
using policy::Fact;
using policy::ImageConfig;
using policy::ImageFacts;
using policy::Manifest;
using policy::Platform;
using policy::Unknown;
using policy::UnknownReason;
using registry::Index;
using registry::IndexEntry;

template <class T>
using Shared = std::shared_ptr<const T>;

constexpr unsigned kMaxIndexDepth = 2;

std::unexpected<Unknown> unknown(UnknownReason reason, std::string detail = "") {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void tell(const registry::Asking& asking, const std::string& line) {
  if (asking.trace) asking.trace(line);
}

// Bounded by forgetting everything: it is all asked for again soon enough.
template <class Map>
void make_room(Map& map, std::size_t most) {
  if (map.size() >= most) map.clear();
}

// The entry that a runtime on `wanted` would take; nested indexes come after images.
const IndexEntry* choose(const Index& index, const Platform& wanted) {
  const IndexEntry* best = nullptr;
  unsigned best_distance = 0;
  for (const IndexEntry& entry : index.entries) {
    if (!entry.has_platform || entry.is_index) continue;
    const auto distance = policy::platform_distance(wanted, entry.platform);
    if (!distance || (best != nullptr && *distance >= best_distance)) continue;
    best = &entry;
    best_distance = *distance;
  }
  return best;
}

std::string offered(const Index& index) {
  constexpr std::size_t kShown = 8;
  std::string text;
  std::size_t count = 0;
  for (const IndexEntry& entry : index.entries) {
    if (!entry.has_platform || ++count > kShown) continue;
    text += (text.empty() ? "it is there for " : ", ") + policy::platform_text(entry.platform);
  }
  return text;
}

bool is_consistent(const Manifest& manifest, const ImageConfig& config) {
  const bool all_layers = std::ranges::all_of(manifest.layers, &policy::Layer::is_filesystem);
  return !all_layers || manifest.layers.size() == config.diff_ids.size();
}

}  // namespace

// What a reference stands for.
struct ImageLookup::Top {
  std::string digest;
  Content content;
  std::chrono::sys_seconds checked;
};

ImageLookup::ImageLookup(asio::any_io_executor executor,
                         registry::RegistryClient& client,
                         LookupOptions options)
    : client_(client),
      options_(options),
      content_(options.content_bytes),
      gate_(std::move(executor)) {}

std::chrono::sys_seconds ImageLookup::first_seen(const std::string& digest) {
  make_room(first_seen_, options_.most_digests);
  return first_seen_.try_emplace(digest, wall_clock()).first->second;
}

void ImageLookup::prove(const registry::Asking& asking) {
  make_room(proofs_, options_.most_proofs);
  proofs_[asking.repository.text() + asking.identity] = net::Clock::now();
}

// Whoever merely knows a digest learns nothing: its repository must have been read lately.
const Content* ImageLookup::known(const registry::Asking& asking, const std::string& digest) {
  const auto proof = proofs_.find(asking.repository.text() + asking.identity);
  const bool proven = proof != proofs_.end() && net::Clock::now() < proof->second + kAccessProof;
  const Content* content = proven ? content_.find(digest) : nullptr;
  if (content != nullptr) tell(asking, "kept: " + digest);
  return content;
}

asio::awaitable<Fact<Content>> ImageLookup::manifest(registry::AskingPointer asking,
                                                     std::string reference,
                                                     std::string* digest) {
  if (const Content* kept = known(*asking, reference)) {
    *digest = reference;
    co_return *kept;
  }
  const auto served = co_await client_.manifest(asking, reference);
  if (!served) co_return std::unexpected(served.error());
  auto read = registry::read_manifest(served->bytes, served->content_type, served->digest);
  if (!read) co_return std::unexpected(read.error());
  prove(*asking);
  *digest = served->digest;
  Content content;
  if (Manifest* image = std::get_if<Manifest>(&*read)) {
    content = std::make_shared<const Manifest>(std::move(*image));
  } else {
    content = std::make_shared<const Index>(std::get<Index>(std::move(*read)));
  }
  content_.put(*digest, content);
  co_return content;
}

// A tag that is known already is looked at by HEAD, which no registry counts as a pull.
asio::awaitable<Fact<ImageLookup::Top>> ImageLookup::resolve(registry::AskingPointer asking,
                                                             FactRequest request,
                                                             bool refresh) {
  Top top;
  top.checked = wall_clock();
  const std::string key = request.repository.text() + ":" + request.tag + " " + request.identity;
  std::string reference = request.pulled();
  const auto tag = request.digest.empty() ? tags_.find(key) : tags_.end();
  if (tag != tags_.end()) {
    const bool fresh = net::Clock::now() < tag->second.checked + kTagFresh;
    if (fresh && !refresh) {
      reference = tag->second.digest;
      top.checked = tag->second.checked_at;
      tell(*asking, "tag known: " + reference);
    } else {
      const auto head = co_await client_.head(asking, request.tag);
      if (!head && head.error().reason == UnknownReason::kNotFound) {
        co_return std::unexpected(head.error());
      }
      const bool usable =
          head && registry::kind_of_digest(head->digest) == registry::DigestKind::kSha256;
      if (usable) {
        reference = head->digest;
        prove(*asking);
      }
    }
  }
  auto content = co_await manifest(asking, reference, &top.digest);
  if (!content) co_return std::unexpected(content.error());
  top.content = *std::move(content);
  if (request.digest.empty()) {
    make_room(tags_, options_.most_tags);
    const bool asked = tag == tags_.end() || top.checked != tag->second.checked_at;
    const auto checked = asked ? net::Clock::now() : tag->second.checked;
    tags_[key] = {top.digest, checked, top.checked};
  }
  co_return top;
}

// Indexes within an index are legal and rare: their entries are taken as its own.
asio::awaitable<Fact<Shared<Index>>> ImageLookup::flattened(registry::AskingPointer asking,
                                                            Shared<Index> index,
                                                            unsigned depth) {
  const bool nested = std::ranges::any_of(index->entries, &IndexEntry::is_index);
  if (!nested) co_return index;
  if (depth == kMaxIndexDepth)
    co_return unknown(UnknownReason::kTooLarge, "indexes within indexes");
  auto flat = std::make_shared<Index>();
  flat->annotations = index->annotations;
  for (const IndexEntry& entry : index->entries) {
    if (!entry.is_index) {
      flat->entries.push_back(entry);
      continue;
    }
    std::string digest;
    const auto content = co_await manifest(asking, entry.digest, &digest);
    if (!content) co_return std::unexpected(content.error());
    const auto* inner = std::get_if<Shared<Index>>(&*content);
    if (inner == nullptr) co_return unknown(UnknownReason::kInvalidContent, "an index is an image");
    const Shared<Index> next = *inner;
    const auto below = co_await flattened(asking, next, depth + 1);
    if (!below) co_return std::unexpected(below.error());
    for (const IndexEntry& found : (*below)->entries) flat->entries.push_back(found);
    if (flat->entries.size() > registry::kMaxChildren) {
      co_return unknown(UnknownReason::kTooLarge, "more than 100 entries in the index");
    }
  }
  co_return flat;
}

asio::awaitable<Fact<Shared<Manifest>>> ImageLookup::child(registry::AskingPointer asking,
                                                           Shared<Index> index,
                                                           Platform wanted) {
  const IndexEntry* chosen = choose(*index, wanted);
  const auto unsaid =
      std::ranges::find_if(index->entries, [](const IndexEntry& e) { return !e.has_platform; });
  if (chosen == nullptr && unsaid != index->entries.end()) chosen = &*unsaid;
  if (chosen == nullptr) co_return unknown(UnknownReason::kNoMatchingPlatform, offered(*index));
  const std::string wanted_digest = chosen->digest;
  std::string digest;
  const auto content = co_await manifest(asking, wanted_digest, &digest);
  if (!content) co_return std::unexpected(content.error());
  const auto* image = std::get_if<Shared<Manifest>>(&*content);
  if (image == nullptr) co_return unknown(UnknownReason::kInvalidContent, "an image is an index");
  co_return *image;
}

asio::awaitable<Fact<Shared<ImageConfig>>> ImageLookup::fetch_config(registry::AskingPointer asking,
                                                                     Shared<Manifest> manifest) {
  const std::string digest = manifest->config_digest;
  const auto bytes = co_await client_.blob(asking, digest, registry::kMaxConfigBytes);
  if (!bytes) co_return std::unexpected(bytes.error());
  auto read = registry::read_config(*bytes, manifest->docker_format);
  if (!read) co_return std::unexpected(read.error());
  const auto config = std::make_shared<const ImageConfig>(*std::move(read));
  content_.put(digest, config);
  co_return config;
}

// Images of one configuration, looked up at once, ask for it once.
asio::awaitable<Fact<Shared<ImageConfig>>> ImageLookup::config(registry::AskingPointer asking,
                                                               Shared<Manifest> manifest) {
  const std::string digest = manifest->config_digest;
  Fact<Shared<ImageConfig>> config = unknown(UnknownReason::kInvalidContent);
  const Content* kept = known(*asking, digest);
  if (kept == nullptr) {
    co_await gate_.enter(digest, asking->deadline);
    kept = known(*asking, digest);
    if (kept == nullptr) config = co_await fetch_config(asking, manifest);
    gate_.leave(digest);
  }
  if (kept != nullptr) {
    const auto* found = std::get_if<Shared<ImageConfig>>(kept);
    if (found != nullptr) config = *found;
  }
  if (!config || is_consistent(*manifest, **config)) co_return config;
  co_return unknown(
      UnknownReason::kInconsistentImage,
      fmt::format("{} layers, {} diff ids", manifest->layers.size(), (*config)->diff_ids.size()));
}

asio::awaitable<ImageFacts> ImageLookup::look_up(Shared<registry::Registries> registries,
                                                 FactRequest request,
                                                 net::Deadline deadline,
                                                 bool refresh,
                                                 std::function<void(const std::string&)> trace) {
  const auto asking = std::make_shared<const registry::Asking>(registry::Asking{
      registries, request.repository, deadline, std::move(trace), request.identity});
  const Unknown no_report{UnknownReason::kNoReport, ""};
  const auto top = co_await resolve(asking, request, refresh);
  if (!top) {
    ImageFacts facts = ImageFacts::unknown(request.platforms, top.error());
    facts.scan = std::unexpected(no_report);
    co_return facts;
  }
  policy::Resolution resolution;
  resolution.digest = top->digest;
  resolution.checked = top->checked;
  resolution.first_seen = first_seen(top->digest);
  const auto* image = std::get_if<Shared<Manifest>>(&top->content);
  Shared<Index> index;
  if (const auto* written = std::get_if<Shared<Index>>(&top->content)) {
    const Shared<Index> outer = *written;
    const auto flat = co_await flattened(asking, outer, 1);
    if (!flat) {
      ImageFacts facts = ImageFacts::unknown(request.platforms, flat.error());
      facts.scan = std::unexpected(no_report);
      co_return facts;
    }
    index = *flat;
    resolution.is_index = true;
    resolution.annotations = index->annotations;
    for (const IndexEntry& entry : index->entries) {
      if (entry.has_platform) resolution.platforms.push_back({entry.platform, entry.digest});
    }
  }
  ImageFacts facts{std::move(resolution), {}, std::unexpected(no_report)};
  const bool wants_manifest = (request.facts & (policy::kManifest | policy::kConfig)) != 0;
  for (const Platform& platform : request.platforms) {
    const Unknown not_asked{UnknownReason::kTimeout, "nobody asked"};
    policy::PlatformFacts of_platform{
        platform, std::unexpected(not_asked), std::unexpected(not_asked)};
    if (image != nullptr) {
      of_platform.manifest = *image;
    } else if (index != nullptr && wants_manifest) {
      of_platform.manifest = co_await child(asking, index, platform);
    }
    if (!of_platform.manifest) {
      of_platform.config = std::unexpected(of_platform.manifest.error());
    } else if ((request.facts & policy::kConfig) != 0) {
      of_platform.config = co_await config(asking, *of_platform.manifest);
      if (of_platform.config) {
        of_platform.insights = policy::insights_of(**of_platform.manifest, **of_platform.config);
      }
    }
    facts.platforms.push_back(std::move(of_platform));
  }
  co_return facts;
}

}  // namespace plimsoll::webhook::facts
