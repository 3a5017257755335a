#include "webhook/registry/config_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::registry {
namespace {

using policy::ImageHealthCheck;

std::string outcome(const std::string& bytes) {
  const auto read = read_config(bytes, true);
  return read ? "fine" : std::string(policy::reason_word(read.error().reason));
}

TEST(ImageConfig, WhatBuildersWriteIsRead) {
  const auto read = read_config(
      R"({"created":"2026-08-20T05:58:00Z","os":"linux","architecture":"aarch64","variant":"v8",
          "config":{"User":"65532","Env":["A=b=c","EMPTY=","BARE"],"Labels":{"k":"v"},
                    "Entrypoint":["/server"],"Cmd":null,"Healthcheck":{"Test":["CMD","/check"]}},
          "rootfs":{"type":"layers","diff_ids":["sha256:1"]},
          "history":[{"created_by":"COPY server /"},{"created_by":"USER 65532","empty_layer":true}]})",
      true);
  ASSERT_TRUE(read);
  EXPECT_EQ(policy::platform_text(read->platform), "linux/arm64");
  EXPECT_EQ(read->user, "65532");
  ASSERT_EQ(read->env.size(), 3U);
  EXPECT_EQ(read->env[0].second, "b=c");
  EXPECT_EQ(read->env[2].first, "BARE");
  EXPECT_EQ(read->health_check, ImageHealthCheck::kPresent);
  EXPECT_EQ(read->history.size(), 2U);
  EXPECT_TRUE(read->history[1].empty_layer);
}

TEST(ImageConfig, NullsAndAbsencesAreUsual) {
  for (const char* text : {R"({})",
                           R"({"config":null})",
                           R"({"config":{}})",
                           R"({"config":{"Labels":null,"Env":null,"Healthcheck":null}})",
                           R"({"history":null,"rootfs":null,"created":null})"}) {
    const auto read = read_config(text, true);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->health_check, ImageHealthCheck::kAbsent) << text;
    EXPECT_FALSE(read->created) << text;
  }
}

TEST(ImageConfig, HealthChecksHaveStates) {
  const struct {
    const char* health;
    ImageHealthCheck state;
  } rows[] = {
      {R"({"Test":["NONE"]})", ImageHealthCheck::kDisabled},
      {R"({"Test":["CMD-SHELL","curl -f localhost"]})", ImageHealthCheck::kPresent},
      {R"({"Test":["CMD"]})", ImageHealthCheck::kAbsent},
      {R"({"Test":["CMD-SHELL",""]})", ImageHealthCheck::kAbsent},
      {R"({"Test":[]})", ImageHealthCheck::kAbsent},
      {R"({})", ImageHealthCheck::kAbsent},
  };
  for (const auto& row : rows) {
    const auto read =
        read_config(R"({"config":{"Healthcheck":)" + std::string(row.health) + "}}", true);
    ASSERT_TRUE(read) << row.health;
    EXPECT_EQ(read->health_check, row.state) << row.health;
  }
  const std::string buildah = R"({"config":{"Labels":{"io.buildah.version":"1.28"}}})";
  EXPECT_EQ(read_config(buildah, false)->health_check, ImageHealthCheck::kDropped);
  EXPECT_EQ(read_config(buildah, true)->health_check, ImageHealthCheck::kAbsent);
}

TEST(ImageConfig, BadOnesHaveTheirReasons) {
  std::string history = R"({"history":[{})";
  for (std::size_t i = 0; i < kMaxHistory; ++i) history += ",{}";
  const struct {
    std::string bytes;
    std::string_view outcome;
  } rows[] = {
      {"", "invalid-content"},
      {"[]", "invalid-content"},
      {R"({"config":[]})", "invalid-content"},
      {R"({"config":{"Env":{}}})", "invalid-content"},
      {R"({"config":{"Env":[1]}})", "invalid-content"},
      {R"({"config":{"Labels":{"a":1}}})", "invalid-content"},
      {R"({"config":{"User":1}})", "invalid-content"},
      {R"({"history":[1]})", "invalid-content"},
      {R"({"history":[{"empty_layer":"yes"}]})", "invalid-content"},
      {R"({"config":{},"Config":{}})", "ambiguous-json"},
      {R"({"config":{"user":"root","User":"1"}})", "ambiguous-json"},
      {R"({"config":{"User":"1","User":"root"}})", "ambiguous-json"},
      {R"({"rootfs":{"diff_ids":[],"Diff_Ids":[]}})", "ambiguous-json"},
      {R"({"config":{"Labels":{"A":"1","a":"2"}}})", "fine"},
      {history + "]}", "too-large"},
      {R"({"config":{"User":")" + std::string(kMaxConfigBytes, 'u') + "\"}}", "too-large"},
      {R"({"config":{"User":")" + std::string(70'000, 'u') + "\"}}", "too-large"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(outcome(row.bytes), row.outcome) << row.bytes.substr(0, 200);
}

}  // namespace
}  // namespace plimsoll::webhook::registry
