// The documentation of all rules, made from their declarations.
#pragma once

#include <string>

namespace plimsoll::webhook::cli {

// Markdown; docs/rules.md is exactly this.
std::string rules_page();

}  // namespace plimsoll::webhook::cli
