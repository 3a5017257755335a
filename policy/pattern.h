// Globs: `*` matches any run of characters, `/` too; `?` one; anchored at both ends;
// case-sensitive.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace plimsoll::policy {

// At most O(pattern * text), without recursion; no backtracking beyond the last star.
bool glob_matches(std::string_view pattern, std::string_view text);

bool any_glob_matches(std::span<const std::string> patterns, std::string_view text);

// The candidate with the smallest edit distance to `word`, or empty where none is near enough to
// be worth naming (more than a third of the word's length, at least 1, at most 4, edits away).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace plimsoll::policy
