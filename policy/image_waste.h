// What an image carries for nothing, as far as manifest, history and configuration show it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"

namespace plimsoll::policy {

enum class WasteKind : std::uint8_t {
  kBuildTools,     // compilers and -dev packages installed and kept
  kPackageCache,   // a package manager's lists or caches left in the layer that made them
  kRemovedLater,   // an instruction that only removes: the bytes stay in the layers below
  kCopiedTwice,    // chown, chmod, mv of what a layer below brought: the bytes are there twice
  kRepeatedLayer,  // the same layer at two places
  kUncompressed,   // a layer stored as plain tar
  kRemoteAdd,      // ADD of a URL: cannot be cached or removed
};
inline constexpr std::size_t kWasteKinds = 7;

// By WasteKind: the words of layer-hygiene's parameter.
inline constexpr std::array<std::string_view, kWasteKinds> kWasteWords = {"build-tools",
                                                                          "package-cache",
                                                                          "removed-later",
                                                                          "copied-twice",
                                                                          "repeated-layer",
                                                                          "uncompressed",
                                                                          "remote-add"};
constexpr std::string_view waste_word(WasteKind kind) {
  return kWasteWords[static_cast<std::size_t>(kind)];
}

struct WasteSign {
  WasteKind kind = WasteKind::kBuildTools;
  std::size_t layer = 0;      // index from the bottom
  bool proof = false;         // else a hint: the layers' content would have to be looked at
  std::string text;           // "layer 3 installs gcc, make and keeps them: RUN apt-get ..."
  std::string advice;         // imperative: "build in a stage of its own, copy the result"
  std::uint64_t at_most = 0;  // bytes compressed that could be saved, an upper bound; 0: not known
};

// In the order of the layers. `config` may be nullptr: then only what the manifest shows.
std::vector<WasteSign> find_waste(const Manifest& manifest, const ImageConfig* config);

}  // namespace plimsoll::policy
