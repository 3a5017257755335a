// The running server: owns every part, in the order in which they need each other.
#pragma once

#include <memory>

#include "webhook/cli/serve_options.h"

namespace plimsoll::webhook::cli {

// sysexits.h EX_CONFIG: a policy or a certificate is bad at the start.
inline constexpr int kExitBadConfiguration = 78;

// Serves until told to end; returns the exit code.
int run_server(const ServeOptions& options);

}  // namespace plimsoll::webhook::cli
