#include "webhook/facts/fact_cache.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "webhook/facts/fact_request.h"
#include "webhook/facts/lifetimes.h"

namespace plimsoll::webhook::facts {
namespace {

using policy::ImageFacts;
using policy::Platform;
using policy::UnknownReason;

const std::vector<Platform> kPlatforms = {{"linux", "amd64", "", ""}};
constexpr policy::FactSet kBoth = policy::kManifest | policy::kConfig;

std::shared_ptr<const ImageFacts> good() {
  policy::PlatformFacts platform{kPlatforms[0],
                                 std::make_shared<const policy::Manifest>(),
                                 std::make_shared<const policy::ImageConfig>()};
  policy::Resolution resolution;
  resolution.digest = "sha256:x";
  return std::make_shared<const ImageFacts>(ImageFacts{
      resolution, {platform}, std::unexpected(policy::Unknown{UnknownReason::kNoReport, ""})});
}

std::shared_ptr<const ImageFacts> unknown(UnknownReason reason) {
  return std::make_shared<const ImageFacts>(ImageFacts::unknown(kPlatforms, {reason, ""}));
}

TEST(FactCache, FindsWhatWasAskedForAndNothingLess) {
  FactCache cache(1 << 20);
  EXPECT_EQ(cache.find("a", kBoth).facts, nullptr);
  cache.put("a", policy::kManifest, false, good());
  EXPECT_NE(cache.find("a", policy::kManifest).facts, nullptr);
  EXPECT_EQ(cache.find("a", kBoth).facts, nullptr) << "nobody asked for the configuration";
  EXPECT_NE(cache.find("a", policy::kManifest | policy::kScan).facts, nullptr)
      << "reports are not looked up";
  EXPECT_EQ(cache.find("b", policy::kManifest).facts, nullptr);
}

TEST(FactCache, AnOutageDoesNotTakeAwayWhatIsKnown) {
  FactCache cache(1 << 20);
  const auto before = good();
  cache.put("a", kBoth, false, before);
  const auto kept = cache.put("a", kBoth, false, unknown(UnknownReason::kConnect));
  ASSERT_TRUE(kept->resolution);
  EXPECT_TRUE(kept->resolution->stale);
  EXPECT_FALSE(before->resolution->stale) << "what others hold does not change";
  EXPECT_TRUE(cache.find("a", kBoth).facts->resolution->stale);
  cache.put("a", kBoth, false, unknown(UnknownReason::kNotFound));
  EXPECT_FALSE(cache.find("a", kBoth).facts->resolution) << "that it is gone is an answer";
}

TEST(FactCache, WhatFailedForGoodIsNotBelievedAtAll) {
  FactCache cache(1 << 20);
  cache.put("a", kBoth, false, unknown(UnknownReason::kDigestMismatch));
  EXPECT_EQ(cache.find("a", kBoth).facts, nullptr);
  cache.put("b", kBoth, false, unknown(UnknownReason::kNotFound));
  EXPECT_NE(cache.find("b", kBoth).facts, nullptr);
}

TEST(FactCache, MemoryIsBounded) {
  FactCache cache(256 * 1024);
  for (int i = 0; i < 5'000; ++i) cache.put("image-" + std::to_string(i), kBoth, false, good());
  EXPECT_LE(cache.bytes(), 256U * 1024);
  EXPECT_GT(cache.entries(), 50U);
  EXPECT_LT(cache.entries(), 5'000U);
}

TEST(FactCache, ManyThreadsReadWhileOneWrites) {
  FactCache cache(1 << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache] {
      for (int i = 0; i < 2'000; ++i) {
        const auto found = cache.find("image-" + std::to_string(i % 50), kBoth);
        if (found.facts != nullptr) EXPECT_TRUE(found.facts->resolution);
      }
    });
  }
  for (int i = 0; i < 2'000; ++i)
    cache.put("image-" + std::to_string(i % 50), kBoth, false, good());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.entries(), 50U);
}

TEST(Lifetimes, FailuresThatMayPassAreForgottenSoon) {
  for (std::size_t i = 0; i < policy::kUnknownReasons; ++i) {
    const auto reason = static_cast<UnknownReason>(i);
    if (policy::class_of(reason) == policy::UnknownClass::kOutage) {
      EXPECT_LE(lifetime_of(reason).count(), 10) << policy::reason_word(reason);
    }
  }
}

TEST(FactRequest, ADigestWinsOverItsTag) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string text = "Reg.corp:5000/app:1@" + digest;
  const auto reference = policy::parse_image_reference(text);
  ASSERT_TRUE(reference);
  const FactRequest request = FactRequest::of(*reference, kPlatforms, kBoth);
  EXPECT_EQ(request.pulled(), digest);
  EXPECT_TRUE(request.tag.empty());
  const auto hub = policy::parse_image_reference("nginx");
  EXPECT_EQ(FactRequest::of(*hub, kPlatforms, kBoth).repository.path, "library/nginx");
  EXPECT_EQ(FactRequest::of(*hub, kPlatforms, kBoth).pulled(), "latest");
}

}  // namespace
}  // namespace plimsoll::webhook::facts
