#include "webhook/layers/content_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tar_builder.h"

namespace plimsoll::webhook::layers {
namespace {

LayerContent content_of(const std::string& tar, std::size_t piece = 1 << 20) {
  LayerScan scan;
  for (std::size_t at = 0; at < tar.size(); at += piece) {
    EXPECT_TRUE(scan.feed(std::string_view(tar).substr(at, piece))) << scan.error();
  }
  EXPECT_TRUE(scan.finish()) << scan.error();
  return scan.take();
}

ContentReport report_of(const std::vector<TarBuilder>& layers) {
  std::vector<LayerContent> contents;
  for (const TarBuilder& layer : layers) contents.push_back(content_of(layer.done()));
  return report_on(contents);
}

const std::string kBig(100'000, 'x');
const std::string kSmall(1'000, 'y');

TEST(ContentReport, AFileThatIsRemovedLater) {
  const ContentReport report = report_of(
      {TarBuilder().file("keep", kSmall).file("d/big", kBig), TarBuilder().file("d/.wh.big", "")});
  EXPECT_NEAR(report.efficiency, 1'000.0 / 101'000, 1e-9);
  EXPECT_EQ(report.wasted_bytes, 100'000U);
  EXPECT_EQ(report.removable_bytes, 100'000U);
  ASSERT_EQ(report.wasted_paths.size(), 1U);
  EXPECT_EQ(report.wasted_paths[0].path, "d/big");
  EXPECT_EQ(report.layers[0].removed_bytes, 100'000U);
}

// dive does not see it: the files inside appear once each, and the directory's path is new.
TEST(ContentReport, ADirectoryThatIsRemovedLater) {
  const ContentReport report =
      report_of({TarBuilder().directory("d").file("d/big", kBig).file("k", kSmall),
                 TarBuilder().file(".wh.d", "")});
  EXPECT_EQ(report.removable_bytes, 100'000U);
  EXPECT_EQ(report.efficiency, 1.0);
  EXPECT_EQ(report.wasted_bytes, 0U);
}

TEST(ContentReport, AFileThatIsWrittenAgain) {
  const ContentReport report = report_of(
      {TarBuilder().file("a", kBig), TarBuilder().file("a", kSmall), TarBuilder().file("a", kBig)});
  EXPECT_EQ(report.total_bytes, 201'000U);
  EXPECT_EQ(report.wasted_bytes, 201'000U) << "dive counts the copy that stays, too";
  EXPECT_EQ(report.removable_bytes, 101'000U);
  EXPECT_NEAR(report.efficiency, 1'000.0 / 201'000, 1e-9);
  EXPECT_EQ(report.wasted_paths[0].layers, 3U);
}

TEST(ContentReport, OpaqueDirectoriesAndTypeChanges) {
  const ContentReport opaque =
      report_of({TarBuilder().file("d/a", kBig).file("d/b", kSmall).file("e", kSmall),
                 TarBuilder().file("d/.wh..wh..opq", "").file("d/c", kSmall)});
  EXPECT_EQ(opaque.removable_bytes, 101'000U);
  const ContentReport replaced =
      report_of({TarBuilder().directory("d").file("d/a", kBig), TarBuilder().symlink("d", "e")});
  EXPECT_EQ(replaced.removable_bytes, 100'000U);
}

TEST(ContentReport, WhatFillsAnImage) {
  const std::string status =
      "Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: deinstall ok "
      "config-files\n\n"
      "Package: c\nStatus: install ok installed\n";
  const ContentReport report = report_of(
      {TarBuilder().file("var/lib/dpkg/status", "Package: old\nStatus: install ok installed\n"),
       TarBuilder()
           .file("var/lib/dpkg/status", status)
           .file("var/lib/apt/lists/x", kBig)
           .file("usr/bin/x86_64-linux-gnu-gcc-12", kSmall)
           .file("usr/include/stdio.h", kSmall)
           .file("home/app/.cache/pip/x", kSmall)
           .file("one", kBig)
           .file("two", kBig)
           .file("usr/bin/su", kSmall, 04755)
           .file("large", std::string(2u << 20U, 'l')),
       TarBuilder().file("lib/apk/db/installed", "P:musl\nV:1\n\nP:busybox\n")});
  ASSERT_EQ(report.packages.size(), 2U);
  EXPECT_EQ(report.packages[0].packages, 2U) << "of the topmost database";
  EXPECT_EQ(report.packages[1].packages, 2U);
  ASSERT_EQ(report.caches.size(), 2U);
  EXPECT_EQ(report.caches[0].name, "apt lists");
  EXPECT_EQ(report.caches[0].layer, 1U);
  EXPECT_EQ(report.caches[1].name, "pip cache");
  ASSERT_EQ(report.build_tools.size(), 2U);
  EXPECT_EQ(report.build_tools[0].name, "gcc");
  EXPECT_EQ(report.build_tools[1].name, "headers");
  ASSERT_EQ(report.duplicates.size(), 1U);
  EXPECT_EQ(report.duplicates[0].paths.size(), 3U) << "the lists have the same content";
  EXPECT_EQ(report.duplicate_bytes, 200'000U);
  EXPECT_EQ(report.setuid_files, 1U);
  ASSERT_EQ(report.large_files.size(), 1U);
  EXPECT_EQ(report.large_files[0].path, "large");
}

TEST(ContentReport, NoBytesNoDivision) {
  EXPECT_EQ(report_of({}).efficiency, 1.0);
  EXPECT_EQ(report_of({TarBuilder()}).efficiency, 1.0);
}

TEST(ContentReport, WhiteoutsWithoutANameRemoveNothing) {
  const ContentReport report =
      report_of({TarBuilder().file("a", kBig), TarBuilder().file(".wh.", "").file("d/.wh.", "")});
  EXPECT_EQ(report.removable_bytes, 0U);
}

TEST(ContentReport, IsTheSameForPiecesOfAnySize) {
  const std::string below = TarBuilder().file("d/a", kBig).file("one", kBig).done();
  const std::string above =
      TarBuilder().file("d/.wh.a", "").file("two", kBig).file("tmp/x", kSmall).done();
  for (const std::size_t piece : {1U, 7U, 511U, 4096U}) {
    const ContentReport report = report_on({content_of(below, piece), content_of(above, piece)});
    EXPECT_EQ(report.removable_bytes, 100'000U) << piece;
    EXPECT_EQ(report.duplicate_bytes, 100'000U) << piece;
    ASSERT_EQ(report.caches.size(), 1U) << piece;
    EXPECT_EQ(report.caches[0].bytes, 1'000U) << piece;
    EXPECT_EQ(report.layers[0].diff_id, content_of(below).diff_id) << piece;
  }
}

TEST(ContentReport, ToolsOfOtherDistributions) {
  EXPECT_EQ(build_tool_of("usr/bin/x86_64-alpine-linux-musl-gcc"), "gcc");
  EXPECT_EQ(build_tool_of("opt/java/openjdk/bin/javac"), "jdk");
  EXPECT_EQ(build_tool_of("opt/java/openjdk/bin/java"), "");
}

TEST(LayerContent, DatabasesAreBoundedTogether) {
  LayerScan scan;
  const std::string large(40u << 20U, 's');
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(scan.feed(
        TarBuilder().file("var/lib/dpkg/status.d/p" + std::to_string(i), large).unfinished()));
  }
  ASSERT_TRUE(scan.finish());
  EXPECT_EQ(scan.take().databases.size(), 3U);
}

TEST(LayerContent, DigestsAreThoseOfTheStreamInPiecesOfAnySize) {
  const std::string tar = TarBuilder().file("a", kBig).done();
  const LayerContent whole = content_of(tar);
  EXPECT_EQ(whole.tar_bytes, tar.size());
  for (const std::size_t piece : {1U, 7U, 511U, 4096U}) {
    EXPECT_EQ(content_of(tar, piece).diff_id, whole.diff_id) << piece;
  }
  LayerScan scan;
  EXPECT_FALSE(scan.feed(std::string(5'000, '?')) && scan.finish());
  EXPECT_FALSE(scan.error().empty());
}

}  // namespace
}  // namespace plimsoll::webhook::layers
