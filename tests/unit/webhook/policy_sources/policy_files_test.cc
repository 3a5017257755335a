// Polled policies: taken whole, the last good ones kept.
#include "webhook/policy_sources/policy_files.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/webhook/policy_sources/scratch_directory.h"

namespace plimsoll::webhook::policy_sources {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Outcome = PolicyFiles::Outcome;

std::string policy_named(std::string_view name) {
  return "apiVersion: plimsoll.dev/v1alpha1\nkind: HygienePolicy\nmetadata: {name: " +
         std::string(name) + "}\nspec: {rules: {image-tag: {action: warn}}}\n";
}

TEST(PolicyFiles, PublishesOnChangeOnly) {
  const ScratchDirectory scratch;
  const std::string file = scratch.write("p.yaml", policy_named("one"));
  net::Snapshot<policy::PolicySet> snapshot;
  PolicyFiles files({file}, false, snapshot);
  EXPECT_EQ(snapshot.read(), nullptr);
  EXPECT_EQ(files.poll(), Outcome::kLoaded);
  const auto first = snapshot.read();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->policies.front().name, "one");
  const std::string revision = files.revision();
  EXPECT_EQ(files.poll(), Outcome::kUnchanged);
  EXPECT_EQ(snapshot.read(), first);
  scratch.write("p.yaml", policy_named("two"));
  EXPECT_EQ(files.poll(), Outcome::kLoaded);
  EXPECT_EQ(snapshot.read()->policies.front().name, "two");
  EXPECT_EQ(first->policies.front().name, "one");  // whoever reads it keeps it
  EXPECT_NE(files.revision(), revision);
  EXPECT_EQ(files.loads(), 2U);
  EXPECT_EQ(files.failures(), 0U);
}

TEST(PolicyFiles, KeepsTheLastGoodOnes) {
  const ScratchDirectory scratch;
  const std::string file = scratch.write("p.yaml", policy_named("one"));
  net::Snapshot<policy::PolicySet> snapshot;
  PolicyFiles files({file}, false, snapshot);
  ASSERT_EQ(files.poll(), Outcome::kLoaded);
  const auto good = snapshot.read();
  const std::string revision = files.revision();

  scratch.write("p.yaml", "kind: [");
  EXPECT_EQ(files.poll(), Outcome::kRefused);
  EXPECT_EQ(files.poll(), Outcome::kUnchanged);  // told once
  EXPECT_EQ(snapshot.read(), good);
  EXPECT_EQ(files.revision(), revision);
  EXPECT_THAT(files.errors(), ElementsAre(HasSubstr("p.yaml:")));

  fs::remove(file);
  EXPECT_EQ(files.poll(), Outcome::kRefused);
  EXPECT_EQ(snapshot.read(), good);
  EXPECT_EQ(files.failures(), 2U);

  scratch.write("p.yaml", policy_named("one"));
  EXPECT_EQ(files.poll(), Outcome::kUnchanged);
  EXPECT_THAT(files.errors(), IsEmpty());
  EXPECT_EQ(files.loads(), 1U);
}

TEST(PolicyFiles, NothingIsPublishedBeforeTheFirstGoodLoad) {
  const ScratchDirectory scratch;
  net::Snapshot<policy::PolicySet> snapshot;
  PolicyFiles files({scratch.path("p.yaml")}, false, snapshot);
  EXPECT_EQ(files.poll(), Outcome::kRefused);
  EXPECT_EQ(snapshot.read(), nullptr);
  EXPECT_EQ(files.revision(), "");
}

TEST(PolicyFiles, FollowsTheSwapOfAConfigMap) {
  const ScratchDirectory scratch;
  scratch.write("..one/p.yaml", policy_named("one"));
  scratch.write("..two/p.yaml", policy_named("two"));
  fs::create_directory_symlink("..one", scratch.path("..data"));
  fs::create_symlink("..data/p.yaml", scratch.path("p.yaml"));
  net::Snapshot<policy::PolicySet> snapshot;
  PolicyFiles files({scratch.path()}, false, snapshot);
  ASSERT_EQ(files.poll(), Outcome::kLoaded);
  fs::create_directory_symlink("..two", scratch.path("..data_tmp"));
  fs::rename(scratch.path("..data_tmp"), scratch.path("..data"));
  EXPECT_EQ(files.poll(), Outcome::kLoaded);
  EXPECT_EQ(snapshot.read()->policies.front().name, "two");
}

TEST(PolicyFiles, TheDefaultNeedsNoFile) {
  net::Snapshot<policy::PolicySet> snapshot;
  PolicyFiles files({}, false, snapshot);
  EXPECT_EQ(files.poll(), Outcome::kLoaded);
  EXPECT_EQ(snapshot.read()->policies.front().name, "default");
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
