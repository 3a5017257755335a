#include "webhook/layers/tar_reader.h"

#include <gtest/gtest.h>

#include "tests/support/tar_builder.h"

namespace plimsoll::webhook::layers {
namespace {

// "path size type>link:content" lines.
class Listing final : public TarVisitor {
 public:
  void entry(const TarEntry& entry) override {
    text += entry.path + " " + std::to_string(entry.size);
    if (entry.type == EntryType::kDirectory) text += " dir";
    if (!entry.link.empty()) text += " -> " + entry.link;
  }
  void data(std::string_view piece) override { content += piece; }
  void end_of_entry() override {
    if (!content.empty()) text += " " + content;
    content.clear();
    text += "\n";
  }
  std::string text;
  std::string content;
};

std::string listing(const std::string& tar, std::size_t piece = 1 << 20, TarLimits limits = {}) {
  Listing visitor;
  TarReader reader(visitor, limits);
  for (std::size_t at = 0; at < tar.size(); at += piece) {
    if (!reader.feed(std::string_view(tar).substr(at, piece))) break;
  }
  if (!reader.finish()) return "error: " + reader.error();
  return visitor.text;
}

TEST(Tar, EveryFormIsReadInPiecesOfAnySize) {
  const std::string long_path(200, 'p');
  const std::string tar = TarBuilder()
                              .directory("./etc")
                              .file("./etc/a", "hello")
                              .file("/abs", "")
                              .symlink("link", "etc/a")
                              .hard_link("hard", "etc/a")
                              .extension('L', long_path + std::string(1, '\0'))
                              .file("short", "x")
                              .extension('x', TarBuilder::pax("path", "pax/" + long_path))
                              .file("short", "y")
                              .extension('g', TarBuilder::pax("comment", "x"))
                              .file("../../escape", "no")
                              .file("a/../b", "no")
                              .file("last", std::string(600, 'z'))
                              .done();
  const std::string expected =
      "etc 0 dir\netc/a 5 hello\nabs 0\nlink 0 -> etc/a\nhard 0 -> etc/a\n" + long_path +
      " 1 x\npax/" + long_path + " 1 y\nlast 600 " + std::string(600, 'z') + "\n";
  for (const std::size_t piece : {1U, 7U, 511U, 512U, 4096U, 1U << 20U}) {
    EXPECT_EQ(listing(tar, piece), expected) << piece;
  }
}

TEST(Tar, SizesInBase256AndPaxCount) {
  std::string block = TarBuilder::header("big", '0', 0);
  block.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x03", 12));
  const std::string tar = TarBuilder::with_checksum(block) + "abc" + std::string(509, '\0');
  EXPECT_EQ(listing(tar), "big 3 abc\n");
  const std::string pax = TarBuilder()
                              .extension('x', TarBuilder::pax("size", "3"))
                              .raw(TarBuilder::header("p", '0', 0))
                              .raw("abc" + std::string(509, '\0'))
                              .done();
  EXPECT_EQ(listing(pax), "p 3 abc\n");
}

TEST(Tar, BadOnesAreErrors) {
  std::string bad_checksum = TarBuilder::header("a", '0', 0);
  bad_checksum[0] = 'b';
  std::string bad_size = TarBuilder::header("a", '0', 0);
  bad_size.replace(124, 11, "99999999999");
  std::string negative = TarBuilder::header("a", '0', 0);
  negative.replace(124, 12, std::string(12, '\xff'));
  std::string huge = TarBuilder::header("a", '0', 0);
  huge.replace(124, 12, std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12));
  const struct {
    std::string tar;
    std::string_view error;
  } rows[] = {
      {std::string(600, 'x'), "checksum"},
      {bad_checksum, "checksum"},
      {TarBuilder::with_checksum(bad_size), "size"},
      {TarBuilder::with_checksum(negative), "size"},
      {TarBuilder::with_checksum(huge), "size"},
      {TarBuilder().file("a", "hello").unfinished().substr(0, 514), "ends in the middle"},
      {TarBuilder::header("a", '0', 0).substr(0, 100), "ends in the middle"},
      {TarBuilder().raw(TarBuilder::header("x", 'L', 2u << 20U)).done(), "larger than 1 MiB"},
      {TarBuilder().extension('L', std::string(5000, 'p')).file("a", "").done(),
       "longer than 4 KiB"},
      {TarBuilder().extension('x', "nonsense").file("a", "").done(), "pax"},
      {TarBuilder().extension('x', "99 path=a\n").file("a", "").done(), "pax"},
      {TarBuilder().extension('x', TarBuilder::pax("size", "-1")).file("a", "").done(), "size"},
      {TarBuilder()
           .extension('x', TarBuilder::pax("size", "99999999999999999999"))
           .file("a", "")
           .done(),
       "size"},
  };
  for (const auto& row : rows) {
    EXPECT_NE(listing(row.tar).find(row.error), std::string::npos) << listing(row.tar);
  }
  EXPECT_NE(listing(TarBuilder().file("a", "").file("b", "").done(), 512, {.entries = 1})
                .find("more entries"),
            std::string::npos);
}

// As Go's archive/tar, which container runtimes use.
TEST(Tar, ContentFollowsByTypeNotBySize) {
  EXPECT_EQ(listing(TarBuilder().raw(TarBuilder::header("tty", '3', 600)).file("a", "b").done()),
            "tty 0\na 1 b\n");
  EXPECT_EQ(listing(TarBuilder().file("d/", "hello").file("a", "b").done()), "d 5 hello\na 1 b\n");
  EXPECT_EQ(listing(TarBuilder().raw(TarBuilder::header("d/", '\0', 5)).file("a", "b").done()),
            "d 0 dir\na 1 b\n");
}

TEST(Tar, AnExtensionWithoutItsEntryIsAnError) {
  EXPECT_NE(listing(TarBuilder().extension('L', "x").unfinished()).find("ends in the middle"),
            std::string::npos);
}

TEST(Tar, SparseFilesOfOldGnu) {
  std::string block = TarBuilder::header("sparse", 'S', 3);
  block.replace(257, 8, "ustar  ");
  block.resize(512, '\0');
  block[482] = 1;
  std::string more(512, '\0');
  more[504] = 1;
  const std::string tar = TarBuilder()
                              .raw(TarBuilder::with_checksum(block))
                              .raw(more)
                              .raw(std::string(512, '\0'))
                              .raw("abc" + std::string(509, '\0'))
                              .file("a", "b")
                              .done();
  for (const std::size_t piece : {1U, 511U, 4096U}) {
    EXPECT_EQ(listing(tar, piece), "sparse 3 abc\na 1 b\n") << piece;
  }
}

TEST(Tar, WhatFollowsTheEndIsLeftAlone) {
  EXPECT_EQ(listing(TarBuilder().file("a", "").done() + "garbage"), "a 0\n");
  EXPECT_EQ(listing(TarBuilder().file("a", "").unfinished()), "a 0\n") << "without zero blocks";
  EXPECT_EQ(listing(""), "");
}

}  // namespace
}  // namespace plimsoll::webhook::layers
