// Policy files: every mistake with its file, line and column.
#include "webhook/policy_sources/policy_loader.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/webhook/policy_sources/scratch_directory.h"

namespace plimsoll::webhook::policy_sources {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ErrorLines errors_of(std::string_view text, bool namespace_labels_known = true) {
  const auto policies = parse_policies({{"p.yaml", std::string(text)}}, namespace_labels_known);
  return policies ? ErrorLines{} : policies.error();
}

std::string frame(std::string_view spec) {
  return "apiVersion: plimsoll.dev/v1alpha1\nkind: HygienePolicy\nmetadata: {name: p}\nspec:\n" +
         std::string(spec);
}

struct Bad {
  std::string_view spec;  // from line 5 on
  std::string_view error;
};

class BadPolicy : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPolicy, IsToldWithItsPlace) {
  EXPECT_THAT(errors_of(frame(GetParam().spec)), ElementsAre(StartsWith(GetParam().error)));
}

INSTANTIATE_TEST_SUITE_P(
    Lines,
    BadPolicy,
    ::testing::Values(
        Bad{"  rules:\n    image-tag: {actoin: warn, action: off}\n",
            "p.yaml:6:17: unknown key \"actoin\"; did you mean \"action\"?"},
        Bad{"  rules:\n    image-tags: {action: warn}\n",
            "p.yaml:6:5: unknown rule \"image-tags\"; did you mean \"image-tag\"?"},
        Bad{"  rules:\n    image-tag: {action: on}\n", "p.yaml:6:25: must be \"enforce\""},
        Bad{"  rules:\n    image-tag: {action: deny}\n",
            "p.yaml:6:25: must be \"enforce\", \"warn\""},
        Bad{"  rules:\n    image-tag:\n      mutable: [1.10]\n      action: warn\n",
            "p.yaml:7:17: must be a string, not "},
        Bad{"  rules:\n    image-tag: {}\n", "p.yaml:6:16: the key \"action\" is missing"},
        Bad{"  rules:\n    image-tag: enforce\n",
            "p.yaml:6:16: must be an object; write {action: enforce}"},
        Bad{"  rules:\n    image-tag: {action: warn}\n    image-tag: {action: off}\n",
            "p.yaml:7:5: the key \"image-tag\" is here twice"},
        Bad{"  rules:\n    image-tag: {action: warn}\n  exclude:\n  - {}\n",
            "p.yaml:8:5: selects everything"},
        Bad{"  rules:\n    image-tag: {action: warn}\n  match:\n", "p.yaml:7:3: must be an object"},
        Bad{"  rules:\n    image-tag: {action: warn}\n  exceptions:\n  - rules: [image-tag]\n"
            "    match: {names: [a]}\n    owner: o\n    reason: r\n    expires: 2027-02-30\n",
            "p.yaml:12:14: must be a day that exists"},
        Bad{"  rules: [\n", "p.yaml:"},
        Bad{"", "p.yaml:4:1: must be an object"}));

TEST(PolicyLoader, AllMistakesOfAllDocumentsInOrder) {
  const std::string text =
      frame("  rules: {nope: {}}\n  mach: {}\n") + "---\nkind: [\n---\n" + frame("  rules: {}\n");
  EXPECT_THAT(errors_of(text),
              ElementsAre(StartsWith("p.yaml:5:11: unknown rule"),
                          StartsWith("p.yaml:6:3: unknown key \"mach\""),
                          HasSubstr("not YAML"),
                          StartsWith("p.yaml:14:10: names no rule")));
}

TEST(PolicyLoader, NamesTellPoliciesApart) {
  const std::string good = frame("  rules: {image-tag: {action: warn}}\n");
  const auto policies = parse_policies({{"a.yaml", good}, {"b.yaml", good}}, true);
  ASSERT_FALSE(policies.has_value());
  EXPECT_THAT(policies.error(),
              ElementsAre(AllOf(StartsWith("b.yaml:3:18: "), HasSubstr("already in a.yaml:3:18"))));
}

TEST(PolicyLoader, ListsAsKubectlPrintsThem) {
  const auto policies =
      parse_policies({{"l.yaml",
                       "apiVersion: v1\nkind: List\nitems:\n- apiVersion: plimsoll.dev/v1alpha1\n"
                       "  kind: HygienePolicy\n  metadata: {name: a, uid: x, labels: {b: c}}\n"
                       "  spec: {rules: {image-tag: {action: off}}}\n"}},
                     true);
  ASSERT_TRUE(policies.has_value()) << policies.error().front();
  ASSERT_EQ(policies->policies.size(), 1U);
  EXPECT_TRUE(policies->policies[0].rules.empty());  // a plain off is false in YAML
}

TEST(PolicyLoader, NamespaceSelectorsNeedLabels) {
  const std::string rules = "  rules: {image-tag: {action: warn}}\n";
  const std::string in_match =
      frame(rules + "  match: {namespaceSelector: {matchLabels: {a: b}}}\n");
  EXPECT_THAT(errors_of(in_match), ElementsAre());
  EXPECT_THAT(errors_of(in_match, false),
              ElementsAre(AllOf(StartsWith("p.yaml:6:11: "), HasSubstr("not known here"))));
  const std::string in_exception = frame(rules +
                                         "  exceptions:\n  - rules: [image-tag]\n    match:\n"
                                         "      namespaceSelector: {matchLabels: {a: b}}\n"
                                         "    owner: o\n    reason: r\n    expires: 2027-01-31\n");
  EXPECT_THAT(errors_of(in_exception, false), ElementsAre(StartsWith("p.yaml:9:7: ")));
}

TEST(PolicyLoader, OtherObjectsAndEmptyFilesAreMistakes) {
  EXPECT_THAT(errors_of("# nothing\n"), ElementsAre(HasSubstr("no policy in it")));
  EXPECT_THAT(errors_of("kind: Pod\n"), ::testing::Contains(HasSubstr("HygienePolicy")));
  EXPECT_THAT(errors_of("[]"), ElementsAre(StartsWith("p.yaml:1:1: must be an object")));
}

TEST(PolicyLoader, PathsAreFilesAndDirectories) {
  const ScratchDirectory scratch;
  EXPECT_THAT(load_policies({scratch.path("none")}).error(), ElementsAre(HasSubstr("none: ")));
  EXPECT_THAT(load_policies({scratch.path()}).error(), ElementsAre(HasSubstr("no *.yaml")));
  scratch.write("d/x.yaml", frame("  rules: {image-tag: {action: warn}}\n"));
  EXPECT_TRUE(load_policies({scratch.path()}).has_value());
  scratch.write("large.yaml", std::string(kMaxPolicyFileBytes + 1, '#'));
  EXPECT_THAT(load_policies({scratch.path()}).error(), ElementsAre(HasSubstr("larger than")));
}

TEST(PolicyLoader, RevisionFollowsContentAndNames) {
  const std::string one = revision_of({{"a", "x"}});
  EXPECT_EQ(one.size(), 12U);
  EXPECT_EQ(one, revision_of({{"a", "x"}}));
  EXPECT_NE(one, revision_of({{"a", "y"}}));
  EXPECT_NE(one, revision_of({{"b", "x"}}));
  EXPECT_NE(revision_of({{"a", "xy"}, {"b", ""}}), revision_of({{"a", "x"}, {"b", "y"}}));
}

}  // namespace
}  // namespace plimsoll::webhook::policy_sources
