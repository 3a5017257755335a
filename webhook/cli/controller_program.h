// `plimsoll controller`, put together and run.
#pragma once

#include "webhook/cli/controller_options.h"

namespace plimsoll::webhook::cli {

// Until a signal ends it. Returns the exit code.
int run_controller(const ControllerOptions& options);

}  // namespace plimsoll::webhook::cli
