#include "policy/image_history.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::layer;
using tests::step;

TEST(ImageHistory, BecomesLinesOfAContainerfile) {
  const struct {
    const char* created_by;
    const char* plain;
  } rows[] = {
      {"/bin/sh -c #(nop)  CMD [\"x\"]", "CMD [\"x\"]"},
      {"/bin/sh -c #(nop) ADD file:0abc in / ", "ADD file:0abc in /"},
      {"/bin/sh -c apt-get update", "RUN apt-get update"},
      {"|2 A=1 B=2 /bin/sh -c make", "RUN make"},
      {"|2 A=1 B=two words /bin/sh -c make # buildkit", "RUN make"},
      {"RUN |1 A=1 /bin/sh -c make # buildkit", "RUN make"},
      {"RUN /bin/sh -c make # buildkit", "RUN make"},
      {"RUN /bin/bash -o pipefail -c make | tee x # buildkit", "RUN make | tee x"},
      {"|1 A=/b c /bin/bash -eo pipefail -c make", "RUN make"},
      {"/bin/ash -ec make", "RUN make"},
      {"COPY src dst # buildkit", "COPY src dst"},
      {"ENV A=b", "ENV A=b"},
      {"RUN make", "RUN make"},
      {"RUN [\"make\", \"all\"]", "RUN [\"make\", \"all\"]"},
      {"cmd /S /C echo x", "RUN echo x"},
      {"cmd /S /C #(nop) COPY a b", "COPY a b"},
      {"powershell -Command Get-Item", "RUN Get-Item"},
      {"# debian.sh --arch 'amd64' out/", "# debian.sh --arch 'amd64' out/"},
      {"jib-maven-plugin:3.4.0", "jib-maven-plugin:3.4.0"},
      {"|1 PASSWORD=hunter2 /usr/local/bin/own-shell x", "RUN "},
      {"", ""},
      {"|", "RUN "},
  };
  for (const auto& row : rows) EXPECT_EQ(plain_instruction(row.created_by), row.plain);
}

TEST(ImageHistory, ShowsWhatBuildsWereGiven) {
  EXPECT_EQ(build_arguments("|2 A=1 B=2 /bin/sh -c make"), "|2 A=1 B=2");
  EXPECT_EQ(build_arguments("RUN |1 A=/x y /bin/sh -c make # buildkit"), "|1 A=/x y");
  EXPECT_EQ(build_arguments("|1 A=x own-shell y"), "|1 A=x own-shell y");
  EXPECT_EQ(build_arguments("/bin/sh -c make"), "");
  EXPECT_EQ(build_arguments(""), "");
}

TEST(ImageHistory, IsShownWithoutSecrets) {
  const struct {
    const char* created_by;
    const char* shown;
  } rows[] = {
      {"|2 A=1 TOKEN=hunter2 /bin/sh -c make   all", "RUN make all"},
      {"RUN |1 NPM_TOKEN=hunter2 /bin/sh -c npm ci # buildkit", "RUN npm ci"},
      {"|1 PASSWORD=hunter2 own-shell hunter2", "RUN"},
      {"/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2 and more", "ENV DB_PASSWORD=***"},
      {"/bin/sh -c curl -u me:hunter2 https://h \t\n && x", "RUN curl -u *** https://h && x"},
      {"RUN a\x1b[31m\xff", "RUN a\\u{1b}[31m\\u{ff}"},
      {"DB_PASSWORD=hunter2 and more", "DB_PASSWORD=***"},
  };
  for (const auto& row : rows) EXPECT_EQ(shown_instruction(row.created_by), row.shown);
  EXPECT_EQ(shown_instruction("RUN " + std::string(300, 'x')).size(), kInstructionRunes + 3);
  EXPECT_EQ(shown_instruction("RUN abcdef", 7), "RUN abc...");
}

// Neither the limit of what is looked at nor the limit of what is shown cuts a secret free.
TEST(ImageHistory, NoSecretShowsWhereTheTextIsCut) {
  const std::string token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
  for (std::size_t before = 16 * 1024 - 60; before < 16 * 1024; ++before) {
    const std::string text = "RUN PASSWORD='" + std::string(before, 'x') + "' " + token + " y";
    EXPECT_EQ(shown_instruction(text).find("ghp_"), std::string::npos) << before;
  }
}

TEST(ImageHistory, GoesWithTheLayersInOrder) {
  Manifest manifest;
  manifest.layers = {layer(3, "a"), layer(2, "b"), layer(1, "c")};
  ImageConfig config;
  config.history = {
      step("one"), step("none", true), step("two"), step("none", true), step("three")};
  const auto origins = layer_origins(manifest, &config);
  ASSERT_EQ(origins.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(origins[i].index, i);
    EXPECT_EQ(origins[i].layer, &manifest.layers[i]);
    ASSERT_NE(origins[i].history, nullptr);
  }
  EXPECT_EQ(origins[0].history->created_by, "one");
  EXPECT_EQ(origins[1].history->created_by, "two");
  EXPECT_EQ(origins[2].history->created_by, "three");
}

TEST(ImageHistory, OfAnotherLengthSaysNothing) {
  Manifest manifest;
  manifest.layers = {layer(3, "a"), layer(2, "b")};
  ImageConfig config;
  for (const std::size_t entries : {0U, 1U, 3U, 5U}) {
    config.history.assign(entries, step("x"));
    for (const LayerOrigin& origin : layer_origins(manifest, &config)) {
      EXPECT_EQ(origin.history, nullptr);
    }
  }
  EXPECT_EQ(layer_origins(manifest, nullptr).size(), 2U);
  manifest.layers.clear();
  config.history = {step("x", true)};
  EXPECT_TRUE(layer_origins(manifest, &config).empty());
}

TEST(ImageHistory, KnowsTheEmptyLayer) {
  Manifest manifest;
  manifest.layers = {layer(32, "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"),
                     layer(32, "4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1"),
                     layer(32, "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"),
                     layer(32, "0000")};
  const auto origins = layer_origins(manifest, nullptr);
  EXPECT_TRUE(origins[0].is_empty && origins[1].is_empty && origins[2].is_empty);
  EXPECT_FALSE(origins[3].is_empty);
}

TEST(ImageHistory, IsReadInTimeHoweverLong) {
  Manifest manifest;
  ImageConfig config;
  for (int i = 0; i < 1000; ++i) manifest.layers.push_back(layer(1, std::to_string(i)));
  for (int i = 0; i < 4096; ++i) config.history.push_back(step("RUN x", i >= 1000));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_NE(layer_origins(manifest, &config)[999].history, nullptr);
  for (const char* piece : {"/bin/sh ", " /bin/sh -", "|1 A=/bin/sh - - ", "# buildkit"}) {
    std::string text = "|1 A=";
    while (text.size() < 64 * 1024) text += piece;
    for (int i = 0; i < 20; ++i) EXPECT_LT(shown_instruction(text).size(), 1000U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace plimsoll::policy
