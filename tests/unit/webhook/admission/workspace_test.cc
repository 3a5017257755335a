#include "webhook/admission/workspace.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::admission {
namespace {

TEST(Workspace, IsUsedAgainByTheNextReview) {
  const Workspace* first = nullptr;
  {
    WorkspaceLease lease;
    first = &*lease;
    EXPECT_FALSE(lease->parser.parse(std::string_view("[1]")).error());
  }
  WorkspaceLease lease;
  EXPECT_EQ(&*lease, first);
  EXPECT_GT(lease->parser.capacity(), 0U);
}

TEST(Workspace, EachReviewHasItsOwn) {
  WorkspaceLease one;
  WorkspaceLease two;
  EXPECT_NE(&*one, &*two);
  policy::json::Element first;
  policy::json::Element second;
  ASSERT_FALSE(one->parser.parse(std::string_view(R"(["one"])")).get(first));
  ASSERT_FALSE(two->parser.parse(std::string_view(R"(["two"])")).get(second));
  EXPECT_EQ(std::string_view(first.at(0)), "one");
}

TEST(Workspace, AParserThatGrewLargeIsNotKept) {
  {
    WorkspaceLease lease;
    const std::string large = "\"" + std::string(2 * kKeptParserBytes, 'x') + "\"";
    EXPECT_FALSE(lease->parser.parse(large).error());
    EXPECT_GT(lease->parser.capacity(), kKeptParserBytes);
  }
  WorkspaceLease lease;
  EXPECT_LE(lease->parser.capacity(), kKeptParserBytes);
}

}  // namespace
}  // namespace plimsoll::webhook::admission
