// Which files a path means.
#include "webhook/documents/input_files.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/webhook/policy_sources/scratch_directory.h"

namespace plimsoll::webhook::documents {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(InputFiles, DirectoriesAreWalkedInOrder) {
  const ScratchDirectory scratch;
  const std::string b = scratch.write("b.yaml", "");
  const std::string a = scratch.write("sub/deep/a.yml", "");
  const std::string c = scratch.write("c.json", "");
  scratch.write("notes.txt", "");
  const InputFiles files = list_files(scratch.path());
  EXPECT_THAT(files.paths, ElementsAre(b, c, a));
  EXPECT_THAT(files.problems, IsEmpty());
}

TEST(InputFiles, ConfigMapMountsGiveEachFileOnce) {
  const ScratchDirectory scratch;
  scratch.write("..2026_01_01/policy.yaml", "x: 1");
  fs::create_directory_symlink("..2026_01_01", scratch.path("..data"));
  fs::create_symlink("..data/policy.yaml", scratch.path("policy.yaml"));
  EXPECT_THAT(list_files(scratch.path()).paths, ElementsAre(scratch.path("policy.yaml")));
}

TEST(InputFiles, LoopsOfLinksEnd) {
  const ScratchDirectory scratch;
  const std::string file = scratch.write("a/x.yaml", "");
  fs::create_directory_symlink("..", scratch.path("a/up"));
  fs::create_directory_symlink("self", scratch.path("self"));
  EXPECT_THAT(list_files(scratch.path()).paths, ElementsAre(file));
}

TEST(InputFiles, WhatIsNotThereIsAProblem) {
  const ScratchDirectory scratch;
  EXPECT_THAT(list_files(scratch.path("none.yaml")).problems,
              ElementsAre(HasSubstr("none.yaml: ")));
  fs::create_symlink("nowhere.yaml", scratch.path("dangling.yaml"));
  EXPECT_THAT(list_files(scratch.path()).problems, ElementsAre(HasSubstr("a link to nothing")));
}

TEST(InputFiles, ReadingIsLimited) {
  const ScratchDirectory scratch;
  const std::string file = scratch.write("x.yaml", "12345678");
  EXPECT_EQ(read_file(file, 8).value_or(""), "12345678");
  const auto large = read_file(file, 7);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().kind, policy::ErrorKind::kTooLarge);
  EXPECT_FALSE(read_file(scratch.path(), 100).has_value());  // a directory
}

}  // namespace
}  // namespace plimsoll::webhook::documents
