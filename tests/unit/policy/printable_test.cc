#include "policy/printable.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

TEST(Printable, EscapesWhatHidesReordersOrBreaksALine) {
  const struct {
    std::string in;
    std::string out;
  } rows[] = {
      {"nginx:1.2", "nginx:1.2"},
      {"grün", "grün"},
      {"a\nb", "a\\u{a}b"},
      {std::string("a\0b", 3), "a\\u{0}b"},
      {"a\x7f", "a\\u{7f}"},
      {"a\xC2\x85", "a\\u{85}"},  // next line
      {"a\xE2\x80\xAE"
       "b",
       "a\\u{202e}b"},  // right-to-left override
      {"a\xE2\x80\x8B"
       "b",
       "a\\u{200b}b"},  // zero width space
      {"a\xE2\x80\xA8"
       "b",
       "a\\u{2028}b"},                            // line separator
      {"a\xEF\xBB\xBF", "a\\u{feff}"},            // byte order mark
      {"\xFF\xFE", "\\u{ff}\\u{fe}"},             // not UTF-8
      {"\xC0\x80", "\\u{c0}\\u{80}"},             // overlong NUL
      {"\xED\xA0\x80", "\\u{ed}\\u{a0}\\u{80}"},  // surrogate
      {"\xF0\x9F\x9A\xA2", "\xF0\x9F\x9A\xA2"},   // a ship
      {"\xE2\x82", "\\u{e2}\\u{82}"},             // cut short
  };
  for (const auto& row : rows) EXPECT_EQ(printable(row.in), row.out);
}

TEST(Printable, CutsAtCharactersNotBytes) {
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("üüü", 2), "üü...");
}

TEST(Printable, QuotesAreEscapedInsideQuotes) {
  EXPECT_EQ(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quoted("abc", 2), "\"ab...\"");
}

TEST(Printable, LinesKeepOnlyLineFeeds) {
  EXPECT_EQ(printable_lines("a\n\tb\r\n\xE2\x80\xAE"
                            "c",
                            100),
            "a\nb\nc");
  EXPECT_EQ(printable_lines("abc", 2), "ab");
}

TEST(Printable, CountsRunes) {
  EXPECT_EQ(rune_count(""), 0U);
  EXPECT_EQ(rune_count("aü\xF0\x9F\x9A\xA2"), 3U);
}

}  // namespace
}  // namespace plimsoll::policy
