#include "webhook/facts/content_cache.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::facts {
namespace {

Content config_of(std::size_t bytes) {
  auto config = std::make_shared<policy::ImageConfig>();
  config->user = std::string(bytes, 'u');
  return config;
}

TEST(ContentCache, TheLeastRecentlyUsedGoesFirst) {
  ContentCache cache(10'000);
  for (const char* digest : {"a", "b", "c"}) cache.put(digest, config_of(2'500));
  EXPECT_NE(cache.find("a"), nullptr);
  cache.put("d", config_of(2'500));
  EXPECT_NE(cache.find("a"), nullptr) << "it was used";
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_LE(cache.bytes(), 10'000U);
  EXPECT_EQ(cache.entries(), 3U);
}

TEST(ContentCache, OneThatIsLargerThanAllStaysAlone) {
  ContentCache cache(1'000);
  cache.put("a", config_of(10));
  cache.put("b", config_of(50'000));
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_NE(cache.find("b"), nullptr);
  EXPECT_EQ(cache.entries(), 1U);
}

}  // namespace
}  // namespace plimsoll::webhook::facts
