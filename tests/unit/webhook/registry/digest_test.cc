#include "webhook/registry/digest.h"

#include <gtest/gtest.h>

namespace plimsoll::webhook::registry {
namespace {

TEST(Digest, KindsAreToldBySyntax) {
  const std::string hex(64, 'a');
  EXPECT_EQ(kind_of_digest("sha256:" + hex), DigestKind::kSha256);
  EXPECT_EQ(kind_of_digest("sha512:" + hex + hex), DigestKind::kSha512);
  EXPECT_EQ(kind_of_digest("blake3:" + hex), DigestKind::kUnsupported);
  for (const std::string& bad : {std::string(),
                                 hex,
                                 "sha256:" + hex.substr(1),
                                 "sha256:" + hex + "a",
                                 "sha256:" + std::string(64, 'A'),
                                 std::string("sha256:"),
                                 "SHA 256:" + hex,
                                 ":" + hex}) {
    EXPECT_EQ(kind_of_digest(bad), DigestKind::kMalformed) << bad;
  }
}

TEST(Digest, IsThatOfTheContent) {
  // FIPS 180-2, B.1.
  const char* abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256_of("abc"), abc);
  EXPECT_TRUE(has_digest("abc", abc));
  EXPECT_FALSE(has_digest("abd", abc));
  Hasher wide(DigestKind::kSha512);
  wide.add("a");
  wide.add("bc");
  EXPECT_TRUE(wide.digest().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
}

}  // namespace
}  // namespace plimsoll::webhook::registry
