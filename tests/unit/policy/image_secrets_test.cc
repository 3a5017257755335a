#include "policy/image_secrets.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::step;

constexpr const char* kValue = "hunter2-correct-horse";

std::string found(const ImageConfig& config) {
  std::string text;
  for (const BakedSecret& secret : find_baked_secrets(config)) {
    EXPECT_EQ((secret.place + secret.what + secret.name).find(kValue), std::string::npos);
    text += secret.place + ": " + secret.what + "\n";
  }
  return text;
}

TEST(BakedSecrets, StandInEnvironmentAndLabels) {
  ImageConfig config;
  config.env = {{"PATH", "/usr/bin:/bin"},
                {"DB_PASSWORD", kValue},
                {"AWS_ID", "AKIAIOSFODNN7EXAMPLE"},
                {"API_TOKEN_FILE", "/run/secrets/t"},
                {"NPM_TOKEN", ""},
                {"OTHER_TOKEN", "$TOKEN"},
                {"GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"},
                {"MAX_TOKEN", "4096"},
                {"DATABASE_URL", std::string("postgres://a:") + kValue + "@h/d"}};
  config.labels = {{"api-key", kValue}, {"maintainer", "me"}, {"DB_PASSWORD", kValue}};
  EXPECT_EQ(found(config),
            "env DB_PASSWORD: a secret by its name\n"
            "env AWS_ID: an AWS access key\n"
            "env DATABASE_URL: a URL with a password\n"
            "label api-key: a secret by its name\n"
            "label DB_PASSWORD: a secret by its name\n");
}

TEST(BakedSecrets, StandInTheHistory) {
  ImageConfig config;
  const std::string value = kValue;
  config.env = {{"DB_PASSWORD", kValue}};
  config.history = {step("/bin/sh -c #(nop) ADD file:0 in /"),
                    step("|2 A=1 NPM_TOKEN=" + value + " x /bin/sh -c npm ci"),
                    step("RUN |1 CI_TOKEN=" + value + " /bin/sh -c npm ci # buildkit"),
                    step("ENV DB_PASSWORD=" + value + " # buildkit", true),
                    step("ENV OLD_PASSWORD=" + value + " and more A=b", true),
                    step("ARG GIT_TOKEN=" + value, true),
                    step("RUN curl -u me:" + value + " h"),
                    step("RUN git clone https://me:" + value + "@h/r"),
                    step("RUN X_SECRET=" + value + " X_SECRET=" + value + " make"),
                    step("ARG GIT_TOKEN", true)};
  EXPECT_EQ(found(config),
            "env DB_PASSWORD: a secret by its name\n"
            "history 2 (ARG NPM_TOKEN): a secret by its name\n"
            "history 3 (ARG CI_TOKEN): a secret by its name\n"
            "history 5 (ENV OLD_PASSWORD): a secret by its name\n"
            "history 6 (ARG GIT_TOKEN): a secret by its name\n"
            "history 7 (-u): a user with a password\n"
            "history 8: a URL with a password\n"
            "history 9 (X_SECRET): a secret by its name\n");
}

TEST(BakedSecrets, StandInCommands) {
  ImageConfig config;
  config.entrypoint = {"/app", std::string("--db-password=") + kValue};
  config.command = {"--api-token", kValue, "-v"};
  EXPECT_EQ(found(config),
            "entrypoint (db-password): a secret by its name\n"
            "command (api-token): a secret by its name\n");
}

TEST(BakedSecrets, NamesOfStrangersArePrintable) {
  ImageConfig config;
  config.env = {{"\x1b[31mDB_PASSWORD\n", kValue}};
  EXPECT_EQ(found(config), "env \\u{1b}[31mDB_PASSWORD\\u{a}: a secret by its name\n");
}

TEST(BakedSecrets, ManyOfThemAreFoundInTime) {
  ImageConfig config;
  std::string text = "RUN ";
  while (text.size() < 4000) text += "A_TOKEN=\"https://h/x ";
  for (int i = 0; i < 4096; ++i) config.history.push_back(step(text));
  for (int i = 0; i < 4096; ++i) {
    config.env.emplace_back("TOKEN_" + std::to_string(i) + "_SECRET", kValue);
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(find_baked_secrets(config).size(), kMaxBakedSecrets);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace plimsoll::policy
