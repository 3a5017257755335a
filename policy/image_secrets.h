// Secrets that an image carries in the open, in its configuration: named, never shown.
#pragma once

#include <string>
#include <vector>

#include "policy/image_facts.h"

namespace plimsoll::policy {

struct BakedSecret {
  std::string place;  // "env DB_PASSWORD", "label api-key", "history 4 (ARG NPM_TOKEN)", "command"
  std::string what;   // "a secret by its name", "an AWS access key", "a private key"
  std::string name;   // "DB_PASSWORD", "NPM_TOKEN"; empty where only its shape shows it
};

inline constexpr std::size_t kMaxBakedSecrets = 100;

// Looks at environment, labels, history, entrypoint and command, by name and by shape. Each place
// once, in that order, at most kMaxBakedSecrets. What the history sets with ENV or LABEL is told
// only where the configuration does not hold it any more.
std::vector<BakedSecret> find_baked_secrets(const ImageConfig& config);

}  // namespace plimsoll::policy
