#include "policy/image_waste.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::Image;
using tests::kMi;
using tests::layer;
using tests::step;

// "kind@layer proof", for each sign.
std::string found(const Image& image) {
  std::string text;
  for (const WasteSign& sign : find_waste(image.manifest, &image.config)) {
    text += (text.empty() ? "" : ", ") + std::string(waste_word(sign.kind)) + "@" +
            std::to_string(sign.layer) + (sign.proof ? " proof" : "");
  }
  return text;
}

// A base of 50 MiB, and one RUN above it.
Image with_run(const std::string& script, std::uint64_t size = 20 * kMi) {
  Image image({layer(50 * kMi, "base"), layer(size, "run")});
  image.config.history = {step("ADD file:0 in /"),
                          step("RUN /bin/sh -c " + script + " # buildkit")};
  return image;
}

TEST(ImageWaste, IsSeenInInstructions) {
  const struct {
    const char* script;
    const char* signs;
  } rows[] = {
      {"apt-get update && apt-get install -y curl", "package-cache@1"},
      {"apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*", ""},
      {"apt-get -y install gcc make && rm -rf /var/lib/apt/lists/*", "build-tools@1"},
      {"apt-get install -y gcc=12.2 && make && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*",
       ""},
      {"DEBIAN_FRONTEND=noninteractive apt-get install -y libssl-dev",
       "build-tools@1, package-cache@1"},
      {"set -eux; apk add --no-cache curl", ""},
      {"apk --no-cache add build-base", "build-tools@1"},
      {"apk add curl", "package-cache@1"},
      {"apk add --no-cache --virtual .deps gcc && make && apk del .deps", ""},
      {"dnf install -y nginx", "package-cache@1"},
      {"dnf install -y nginx && dnf clean all", ""},
      {"yum -y install gcc-c++ && yum clean all", "build-tools@1"},
      {"pip install flask", "package-cache@1"},
      {"pip install --no-cache-dir flask", ""},
      {"python3 -m pip install flask", "package-cache@1"},
      {"npm ci", "package-cache@1"},
      {"npm ci && npm cache clean --force", ""},
      {"--mount=type=cache,target=/root/.npm npm ci", ""},
      {"make install", ""},
      {"echo apt-get install gcc", ""},
      {"apt-get install -y makeup ca-certificates && rm -rf /var/lib/apt/lists/*", ""},
      {"apt-get install -y openjdk-17-jdk && rm -rf /var/lib/apt/lists/*", "build-tools@1"},
  };
  for (const auto& row : rows) EXPECT_EQ(found(with_run(row.script)), row.signs) << row.script;
}

TEST(ImageWaste, WhatOnlyRemovesComesTooLate) {
  EXPECT_EQ(found(with_run("rm -rf /src && apt-get clean", 200)), "removed-later@1");
  EXPECT_EQ(found(with_run("apt-get purge -y gcc; rm -rf /x", 200)), "removed-later@1");
  EXPECT_EQ(found(with_run("rm -rf /src && make", 200)), "");
  EXPECT_EQ(found(with_run("rm /etc/nginx/conf.d/default.conf", 200)), "");
  EXPECT_EQ(found(with_run("rm -rf /src", 20 * kMi)), "");  // it did something else as well
  Image alone({layer(200, "run")});
  alone.config.history = {step("RUN rm -rf /src")};
  EXPECT_EQ(found(alone), "");
  const Image image = with_run("rm -rf /src", 200);
  const auto signs = find_waste(image.manifest, &image.config);
  ASSERT_EQ(signs.size(), 1U);
  EXPECT_EQ(signs[0].at_most, 50 * kMi);
}

TEST(ImageWaste, SameSizeAsACopyMeansTheSameFiles) {
  const auto after_copy = [](const std::string& script, std::uint64_t size) {
    Image image({layer(300 * kMi, "base"), layer(100 * kMi, "copy"), layer(size, "run")});
    image.config.history = {
        step("ADD file:0 in /"), step("COPY /app /app # buildkit"), step("RUN " + script)};
    return found(image);
  };
  EXPECT_EQ(after_copy("chown -R app /app", 100 * kMi), "copied-twice@2");
  EXPECT_EQ(after_copy("chmod -R a+rX /app", 60 * kMi), "copied-twice@2");
  EXPECT_EQ(after_copy("mv /app /srv", 110 * kMi), "copied-twice@2");
  EXPECT_EQ(after_copy("chown -R app /app", 59 * kMi), "");
  EXPECT_EQ(after_copy("chown -R app /app", 111 * kMi), "");
  EXPECT_EQ(after_copy("make", 100 * kMi), "");
}

TEST(ImageWaste, ManifestsProveSomeOfIt) {
  Image image({layer(5 * kMi, "a"), layer(6 * kMi, "b"), layer(5 * kMi, "a")});
  image.manifest.layers[1].compression = LayerCompression::kNone;
  EXPECT_EQ(found(image), "uncompressed@1 proof, repeated-layer@2 proof");
  EXPECT_EQ(find_waste(image.manifest, nullptr).size(), 2U);
  image.manifest.layers[1].compression = LayerCompression::kUnknown;
  image.manifest.layers[0].size = image.manifest.layers[2].size = 100;
  EXPECT_EQ(found(image), "");
  const std::string empty = "4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1";
  EXPECT_EQ(found(Image({layer(2000, empty), layer(2000, empty)})), "");
  EXPECT_EQ(found(Image()), "");
}

TEST(ImageWaste, RemoteFilesAreAdded) {
  const auto adds = [](const std::string& instruction) {
    Image image({layer(100, "a")});
    image.config.history = {step(instruction)};
    return found(image);
  };
  EXPECT_EQ(adds("ADD https://h/x /x # buildkit"), "remote-add@0");
  EXPECT_EQ(adds("ADD --chown=app --checksum=sha256:0 http://h/x /x"), "remote-add@0");
  EXPECT_EQ(adds("/bin/sh -c #(nop) ADD https://h/x in /x"), "remote-add@0");
  EXPECT_EQ(adds("ADD file:0 in /"), "");
  EXPECT_EQ(adds("COPY https /x"), "");
}

TEST(ImageWaste, NamesWhatItSawAndNoSecret) {
  const Image image =
      with_run("apt-get install -y gcc g++ make cmake golang libssl-dev && X_TOKEN=hunter2 make");
  const auto signs = find_waste(image.manifest, &image.config);
  ASSERT_EQ(signs.size(), 2U);
  EXPECT_TRUE(
      signs[0].text.starts_with("layer 2 installs gcc, g++, make, cmake, golang, ... and keeps "
                                "what it installs: RUN apt-get"))
      << signs[0].text;
  EXPECT_EQ(signs[0].advice, "build in a stage of its own and copy the result");
  for (const WasteSign& sign : signs) EXPECT_EQ(sign.text.find("hunter2"), std::string::npos);
  EXPECT_TRUE(signs[1].text.starts_with("layer 2 keeps the lists or the cache of apt-get"));
}

TEST(ImageWaste, ManyLayersAreReadInTime) {
  Image image;
  std::string script;
  while (script.size() < 4000) script += "apt-get install -y gcc; rm -rf /x; ";
  for (int i = 0; i < 1000; ++i) {
    const bool copy = i % 2 == 0;
    image.manifest.layers.push_back(
        layer(2 * kMi + static_cast<std::uint64_t>(i), "l" + std::to_string(i % 600)));
    image.config.history.push_back(step(copy ? "COPY a b" : "RUN " + script + "chown -R x /x"));
  }
  for (int i = 0; i < 3096; ++i) image.config.history.push_back(step("ENV A=b", true));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_LE(find_waste(image.manifest, &image.config).size(), 1000U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace plimsoll::policy
