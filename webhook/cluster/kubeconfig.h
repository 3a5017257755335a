// Kubeconfig files, as far as plimsoll uses them: client certificates, tokens, and, where allowed,
// programs that make either.
#pragma once

#include <string>

#include "webhook/cluster/access.h"

namespace plimsoll::webhook::cluster {

// `context` empty: the current one. `may_run`: programs that make credentials. Relative file names
// count from the kubeconfig's folder. The error says what is wrong with which field, never a value
// that may be secret.
policy::Result<AccessConfig> read_kubeconfig(const std::string& path,
                                             const std::string& text,
                                             const std::string& context,
                                             bool may_run);

// The same of a file.
policy::Result<AccessConfig> kubeconfig_access(const std::string& path,
                                               const std::string& context,
                                               bool may_run);

}  // namespace plimsoll::webhook::cluster
