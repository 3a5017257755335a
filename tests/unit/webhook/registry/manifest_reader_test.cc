#include "webhook/registry/manifest_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::registry {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kConfig =
    R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" + kDigest +
    R"(","size":10})";
const std::string kOci = R"("mediaType":"application/vnd.oci.image.manifest.v1+json")";
const std::string kIndexType = R"("mediaType":"application/vnd.oci.image.index.v1+json")";

std::string layer_of(std::string_view size, std::string_view more = "") {
  return R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:)" +
         std::string(64, 'b') + R"(","size":)" + std::string(size) + std::string(more) + "}";
}

std::string image_with(const std::string& layers) {
  return "{" + kOci + R"(,"config":)" + kConfig + R"(,"layers":[)" + layers + "]}";
}

// The word of the reason, "image" or "index".
std::string outcome(const std::string& bytes, std::string_view content_type = "") {
  const auto read = read_manifest(bytes, content_type, kDigest);
  if (!read) return std::string(policy::reason_word(read.error().reason));
  return std::holds_alternative<Index>(*read) ? "index" : "image";
}

TEST(Manifest, SumsAreExact) {
  const auto read = read_manifest(image_with(layer_of("100") + "," + layer_of("100")), "", kDigest);
  ASSERT_TRUE(read);
  const auto& manifest = std::get<policy::Manifest>(*read);
  EXPECT_EQ(manifest.compressed_bytes, 210U);
  EXPECT_EQ(manifest.pull_bytes, 110U) << "the same blob is pulled once";
  EXPECT_EQ(manifest.layers[0].compression, policy::LayerCompression::kGzip);
  EXPECT_FALSE(manifest.layers[0].foreign);
}

TEST(Manifest, BadOnesHaveTheirReasons) {
  const std::string both = "{" + kIndexType + R"(,"manifests":[],"layers":[]})";
  const struct {
    std::string bytes;
    std::string_view content_type;
    std::string_view outcome;
  } rows[] = {
      {image_with(layer_of("1")), "application/vnd.oci.image.manifest.v1+json", "image"},
      {image_with(layer_of("1")),
       "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
       "image"},
      {image_with(layer_of("1")), "application/json", "image"},
      {image_with(layer_of("1")), "text/plain", "image"},
      {image_with(""), "", "image"},
      {"{" + kIndexType + R"(,"manifests":[]})", "", "index"},
      {R"({"manifests":[]})", "", "index"},
      {image_with(layer_of("1")),
       "application/vnd.docker.distribution.manifest.v2+json",
       "ambiguous-json"},
      {both, "", "ambiguous-json"},
      {R"({"fsLayers":[],"layers":[]})", "", "ambiguous-json"},
      {R"({"schemaVersion":1,"fsLayers":[]})", "", "schema1"},
      {"{}", "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema1"},
      {"{}", "", "not-an-image"},
      {"[]", "", "invalid-content"},
      {"", "", "invalid-content"},
      {"{", "", "invalid-content"},
      {"\xef\xbb\xbf" + image_with(""), "", "invalid-content"},
      {image_with("") + std::string(1, '\0') + image_with(""), "", "invalid-content"},
      {image_with(layer_of("-1")), "", "invalid-content"},
      {image_with(layer_of("1e3")), "", "invalid-content"},
      {image_with(layer_of("1.0")), "", "invalid-content"},
      {image_with(layer_of("9007199254740993")), "", "invalid-content"},
      {image_with(layer_of("18446744073709551616")), "", "invalid-content"},
      {image_with(layer_of("\"1\"")), "", "invalid-content"},
      {image_with(layer_of("1", R"(,"SIZE":2)")), "", "ambiguous-json"},
      {image_with(layer_of("1", R"(,"\u017fize":2)")), "", "ambiguous-json"},
      {image_with(layer_of("1", R"(,"size":2)")), "", "ambiguous-json"},
      {"{" + kOci + R"(,"config":)" + kConfig + R"(,"layers":[],"LAYERS":[]})",
       "",
       "ambiguous-json"},
      {"{" + kOci + R"(,"layers":[]})", "", "invalid-content"},
      {"{" + kOci +
           R"(,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":")" +
           kDigest + R"(","size":1},"layers":[]})",
       "",
       "not-an-image"},
      {image_with(R"({"mediaType":"x","digest":"md5:abc","size":1})"), "", "unsupported-digest"},
      {image_with(R"({"mediaType":"x","digest":"abc","size":1})"), "", "invalid-content"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(outcome(row.bytes, row.content_type), row.outcome) << row.bytes;
}

TEST(Manifest, LimitsHold) {
  std::string layers = layer_of("1");
  for (std::size_t i = 1; i < kMaxLayers; ++i) layers += "," + layer_of("1");
  EXPECT_EQ(outcome(image_with(layers)), "image");
  EXPECT_EQ(outcome(image_with(layers + "," + layer_of("1"))), "too-large");
  EXPECT_EQ(outcome(std::string(kMaxManifestBytes + 1, ' ')), "too-large");
  std::string deep = R"({"annotations":)";
  for (int i = 0; i < 100; ++i) deep += "[";
  deep += std::string(100, ']') + "}";
  EXPECT_EQ(outcome(deep), "too-large");
  std::string wide = R"({"x":[)";
  for (int i = 0; i < 60'000; ++i) wide += "{},";
  EXPECT_EQ(outcome(wide + "1]}"), "too-large");
  std::string children;
  for (std::size_t i = 0; i <= kMaxChildren; ++i) children += (i > 0 ? "," : "") + kConfig;
  EXPECT_EQ(outcome("{" + kIndexType + R"(,"manifests":[)" + children + "]}"), "too-large");
}

TEST(Manifest, AnIndexKeepsImagesAlone) {
  const auto entry = [](std::string_view platform, std::string_view more = "") {
    return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + kDigest +
           R"(","size":1,"platform":)" + std::string(platform) + std::string(more) + "}";
  };
  const std::string text =
      "{" + kIndexType + R"(,"manifests":[)" + entry(R"({"os":"linux","architecture":"x86_64"})") +
      "," + entry(R"({"os":"linux","architecture":"aarch64","variant":"v8"})") + "," +
      entry(R"({"os":"unknown","architecture":"unknown"})") + "," +
      entry(R"({"os":"linux","architecture":"arm"})",
            R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})") +
      "]}";
  const auto read = read_manifest(text, "", kDigest);
  ASSERT_TRUE(read);
  const auto& index = std::get<Index>(*read);
  ASSERT_EQ(index.entries.size(), 2U);
  EXPECT_EQ(policy::platform_text(index.entries[0].platform), "linux/amd64");
  EXPECT_EQ(policy::platform_text(index.entries[1].platform), "linux/arm64");
}

}  // namespace
}  // namespace plimsoll::webhook::registry
