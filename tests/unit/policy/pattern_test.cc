#include "policy/pattern.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

TEST(Glob, Matches) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } rows[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "a/b", true},
      {"prod-*", "prod-", true},
      {"prod-*", "prod-eu", true},
      {"prod-*", "prod", false},
      {"*-prod", "eu-prod", true},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"?", "", false},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-c-b", false},
      {"Prod", "prod", false},
      {"a**b", "ab", true},
      {"*a", "aaab", false},
      {"[a]", "a", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(glob_matches(row.pattern, row.text), row.matches) << row.pattern << " " << row.text;
  }
}

// A backtracking matcher would need more than a lifetime for this.
TEST(Glob, StaysLinearOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "b";
  EXPECT_FALSE(glob_matches(pattern, std::string(2000, 'a')));
}

TEST(Nearest, NamesWhatWasProbablyMeant) {
  constexpr std::array<std::string_view, 4> kWords = {"action", "match", "exclude", "exceptions"};
  EXPECT_EQ(nearest("actoin", kWords), "action");
  EXPECT_EQ(nearest("excludes", kWords), "exclude");
  EXPECT_EQ(nearest("exeptions", kWords), "exceptions");
  EXPECT_EQ(nearest("zzz", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), kWords), "");
}

}  // namespace
}  // namespace plimsoll::policy
