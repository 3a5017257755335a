#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "webhook/documents/document.h"

namespace plimsoll::webhook::documents {
namespace {

TEST(PositionMap, FindsMembersElementsAndNearestAncestors) {
  PositionMap map;
  EXPECT_EQ(map.of_value("/x").line, 1U);  // empty: the top of the file
  const auto root = map.add(PositionMap::kNone, "", {1, 1}, {1, 1});
  const auto list = map.add(root, "a/b~c", {2, 1}, {2, 9});
  map.add(list, "0", {3, 3}, {3, 3});
  map.add(list, "1", {4, 3}, {4, 3});
  EXPECT_EQ(map.of_value("").line, 1U);
  EXPECT_EQ(map.of_value("/a~1b~0c").column, 9U);
  EXPECT_EQ(map.of_key("/a~1b~0c").column, 1U);
  EXPECT_EQ(map.of_value("/a~1b~0c/1").line, 4U);
  EXPECT_EQ(map.of_value("/a~1b~0c/1/image").line, 4U);
  EXPECT_EQ(map.of_value("/a~1b~0c/7").line, 2U);
  EXPECT_EQ(map.of_value("/nothing/here").line, 1U);
}

TEST(PositionMap, LongListsAndMapsWithNumbersAsKeys) {
  PositionMap map;
  const auto root = map.add(PositionMap::kNone, "", {1, 1}, {1, 1});
  const auto list = map.add(root, "list", {1, 1}, {1, 1});
  const auto numbers = map.add(root, "map", {1, 1}, {1, 1});
  for (std::uint32_t i = 0; i < 200; ++i) {
    map.add(list, std::to_string(i), {i + 1, 1}, {i + 1, 1});
    map.add(numbers, std::to_string((i * 7) % 200), {i + 1, 1}, {i + 1, 1});
  }
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(map.of_value("/list/" + std::to_string(i)).line, i + 1);
    EXPECT_EQ(map.of_value("/map/" + std::to_string((i * 7) % 200)).line, i + 1);
  }
  EXPECT_EQ(map.of_value("/list/200").line, 1U);
}

}  // namespace
}  // namespace plimsoll::webhook::documents
