// Kubeconfig files, as far as plimsoll uses them: client certificates and tokens; programs that
// make credentials are never run.
#pragma once

#include <string>

#include "webhook/cluster/access.h"

namespace plimsoll::webhook::cluster {

// `context` empty: the current one. Relative file names count from the kubeconfig's folder. The
// error says what is wrong with which field, never a value that may be secret.
policy::Result<AccessConfig> kubeconfig_access(const std::string& path, const std::string& context);

}  // namespace plimsoll::webhook::cluster
