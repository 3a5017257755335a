// Which instruction made which layer, as far as the image's own history shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/image_facts.h"

namespace plimsoll::policy {

// `created_by` of a history entry as a line of a Containerfile: the builders' wrappings removed
// ("/bin/sh -c #(nop) CMD ["x"]" -> "CMD ["x"]", "|2 A=1 B=2 /bin/sh -c make # buildkit" ->
// "RUN make"). May hold secrets: for looking at, not for showing.
std::string plain_instruction(std::string_view created_by);

// "|2 A=1 B=2" of "|2 A=1 B=2 /bin/sh -c make", the arguments of the build as it was run; empty
// where there are none. May hold secrets.
std::string_view build_arguments(std::string_view created_by);

// Fit for messages: plain, secrets replaced by "***" (see find_command_secrets), without the
// arguments of the build, one printable line of at most `runes`. Fit for KEY=VALUE as well.
inline constexpr std::size_t kInstructionRunes = 120;
std::string shown_instruction(std::string_view created_by, std::size_t runes = kInstructionRunes);

struct LayerOrigin {
  const Layer* layer = nullptr;
  std::size_t index = 0;                  // from the bottom, 0 first
  const HistoryEntry* history = nullptr;  // nullptr: the history does not fit the layers
  bool is_empty = false;                  // the well-known empty tar
};

// One for each layer. Entries of the history that are not empty stand for the layers in order;
// where their number differs nothing is assigned. `config` may be nullptr.
std::vector<LayerOrigin> layer_origins(const Manifest& manifest, const ImageConfig* config);

}  // namespace plimsoll::policy
