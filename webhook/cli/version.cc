#include "webhook/cli/version.h"

namespace plimsoll::webhook::cli {

std::string_view version() {
  return PLIMSOLL_VERSION;
}

}  // namespace plimsoll::webhook::cli
