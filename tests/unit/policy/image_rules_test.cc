// The rules over what an image's manifest and configuration say, one table or two each.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "image_rule_fixture.h"

namespace plimsoll::policy {
namespace {

using tests::facts_of;
using tests::Image;
using tests::kMi;
using tests::kNow;
using tests::layer;
using tests::Pod;
using tests::step;
using namespace std::chrono_literals;

const std::string kImage = "container \"c0\" image registry.test/i0:1 ";

Pod two_platforms(const Image& image, Image other) {
  other.platform.architecture = "s390x";
  return Pod(std::vector{facts_of({image.facts(), other.facts()})});
}

Image wasteful() {
  Image image({layer(50 * kMi, "base"), layer(60 * kMi, "tools"), layer(50 * kMi, "base")});
  image.config.history = {step("ADD file:0 in /"),
                          step("RUN apt-get install -y gcc && X_TOKEN=hunter2 make"),
                          step("COPY a b")};
  return image;
}

TEST(LayerHygiene, TellsProofsFromHints) {
  EXPECT_EQ(Pod(wasteful()).said("layer-hygiene"),
            kImage +
                "shows 3 signs of waste (1 proven), limit none\n"
                "hint: layer 2 installs gcc and keeps what it installs: RUN apt-get install -y gcc "
                "&& X_TOKEN=*** make; build in a stage of its own and copy the result\n"
                "hint: layer 2 keeps the lists or the cache of apt-get: RUN apt-get install -y gcc "
                "&& X_TOKEN=*** make; end the RUN with rm -rf /var/lib/apt/lists/*\n"
                "proof: layer 3 is the same as layer 1: COPY a b; leave the second instruction "
                "out\n");
  EXPECT_EQ(Pod(wasteful()).said("layer-hygiene", R"("proofOnly":true)"),
            kImage +
                "shows 1 sign of waste (1 proven), limit none\n"
                "proof: layer 3 is the same as layer 1: COPY a b; leave the second instruction "
                "out\n");
  EXPECT_EQ(Pod(wasteful()).judge("layer-hygiene", R"("checks":["build-tools"])")[0].found,
            "1 sign of waste");
  EXPECT_EQ(Pod(wasteful()).said("layer-hygiene", R"("checks":["uncompressed"])"), "");
  EXPECT_EQ(Pod(Image({layer(5, "a")})).said("layer-hygiene"), "");
  EXPECT_EQ(Pod(Image()).said("layer-hygiene"), "");
}

TEST(LayerHygiene, OfSeveralPlatformsTheWorstIsTold) {
  Image clean({layer(50 * kMi, "base")});
  EXPECT_EQ(two_platforms(clean, wasteful()).judge("layer-hygiene").size(), 1U);
  EXPECT_EQ(two_platforms(wasteful(), clean).judge("layer-hygiene")[0].found, "3 signs of waste");
}

TEST(LayerHygiene, LongListsAreCut) {
  Image image;
  for (int i = 0; i < 1000; ++i) image.manifest.layers.push_back(layer(2048, "same"));
  const auto findings = Pod(image).judge("layer-hygiene");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_TRUE(findings[0].detail.ends_with("\nand 991 more"));
  EXPECT_EQ(std::ranges::count(findings[0].detail, '\n'), 8);
}

TEST(ImageUser, RootIsFoundWhereThePodLeavesItToTheImage) {
  const struct {
    const char* user;
    const char* found;  // "": nothing is found
  } rows[] = {
      {"", "runs as root: it names no user, and the pod does not set another\n"},
      {"0", "runs as root: its user is \"0\", and the pod does not set another\n"},
      {"root", "runs as root: its user is \"root\", and the pod does not set another\n"},
      {"0:0", "runs as root: its user is \"0:0\", and the pod does not set another\n"},
      {"root:app", "runs as root: its user is \"root:app\", and the pod does not set another\n"},
      {"000", "runs as root: its user is \"000\", and the pod does not set another\n"},
      {"0:\x1b[m", "runs as root: its user is \"0:\\u{1b}[m\", and the pod does not set another\n"},
      {"65532", ""},
      {"app", ""},
      {"1000:0", ""},
      {"app:root", ""},
      {"rooted", ""},
      {"10", ""},
  };
  for (const auto& row : rows) {
    Image image;
    image.config.user = row.user;
    const std::string found = row.found;
    EXPECT_EQ(Pod(image).said("image-user"), found.empty() ? "" : kImage + found) << row.user;
  }
  Image image;
  image.config.user = "";
  image.platform.os = "windows";
  EXPECT_EQ(Pod(image).said("image-user"), "");
  Image app;
  Image root;
  root.config.user = "root";
  EXPECT_EQ(two_platforms(app, root).judge("image-user").size(), 1U);
}

TEST(ImageUser, NeedsNothingWhereThePodDecides) {
  const struct {
    const char* pod;
    const char* container;
    FactSet needs;
  } rows[] = {
      {"", "", kConfig},
      {R"("securityContext":{"runAsUser":1})", "", kNoFacts},
      {R"("securityContext":{"runAsUser":0})", "", kNoFacts},  // run-as-root judges that
      {R"("securityContext":{"runAsNonRoot":true})", "", kNoFacts},
      {R"("securityContext":{"runAsNonRoot":false})", "", kConfig},
      {"", R"(,"securityContext":{"runAsUser":1})", kNoFacts},
      {"", R"(,"securityContext":{"runAsNonRoot":true})", kNoFacts},
      {R"("securityContext":{"runAsNonRoot":true})",
       R"(,"securityContext":{"runAsNonRoot":false})",
       kConfig},
      {R"("os":{"name":"windows"})", "", kNoFacts},
      {R"("nodeSelector":{"kubernetes.io/os":"windows"})", "", kNoFacts},
  };
  for (const auto& row : rows) {
    Pod pod(1, row.pod, row.container);
    EXPECT_EQ(pod.needs("image-user"), row.needs) << row.pod << row.container;
    Image root;
    root.config.user = "root";
    pod.looked_up(facts_of(root));
    EXPECT_EQ(pod.judge("image-user").size(), row.needs == kNoFacts ? 0U : 1U) << row.pod;
    // Other rules have asked, in vain.
    pod.looked_up(ImageFacts::unknown({{"linux", "amd64", "", ""}}, {UnknownReason::kConnect, ""}));
    EXPECT_EQ(pod.judge("image-user").size(), row.needs == kNoFacts ? 0U : 1U) << row.pod;
  }
}

TEST(ImageSecrets, PlacesAreNamedAndValuesAreNot) {
  Image image;
  image.config.env = {{"DB_PASSWORD", "hunter2"}, {"PATH", "/bin"}};
  image.config.history = {step("|1 NPM_TOKEN=hunter2 /bin/sh -c npm ci")};
  const std::string said = Pod(image).said("image-secrets");
  EXPECT_EQ(said,
            kImage +
                "carries 2 secrets in its configuration, limit none: env DB_PASSWORD, ...\n"
                "env DB_PASSWORD: a secret by its name\n"
                "history 1 (ARG NPM_TOKEN): a secret by its name\n");
  EXPECT_EQ(Pod(image).judge("image-secrets", R"("allow":["DB_*"])")[0].found, "1 secret");
  EXPECT_EQ(Pod(image).said("image-secrets", R"("allow":["DB_PASSWORD","NPM_TOKEN"])"), "");
  EXPECT_EQ(Pod(Image()).said("image-secrets"), "");
  EXPECT_EQ(two_platforms(Image(), image).judge("image-secrets").size(), 1U);
  for (int i = 0; i < 200; ++i) {
    image.config.env.emplace_back("TOKEN_" + std::to_string(i) + "_SECRET", "hunter2");
  }
  const auto findings = Pod(image).judge("image-secrets");
  EXPECT_EQ(std::ranges::count(findings[0].detail, '\n'), 10);
  EXPECT_EQ(findings[0].detail.find("hunter2"), std::string::npos);
}

TEST(ImageAge, IsExact) {
  const auto aged = [](std::chrono::seconds age, const std::string& parameters = "") {
    Image image;
    image.config.created = kNow - age;
    return Pod(image).said("image-age", parameters);
  };
  EXPECT_EQ(aged(180 * 24h), "");
  EXPECT_EQ(aged(181 * 24h), kImage + "is 181 days old (built 2026-05-26), limit 180 days\n");
  EXPECT_EQ(aged(180 * 24h + 1h),
            kImage + "is 4321 hours old (built 2026-05-27), limit 180 days\n");
  EXPECT_EQ(aged(37h, R"("maximum":"36h")"),
            kImage + "is 37 hours old (built 2026-11-21), limit 36 hours\n");
  EXPECT_EQ(aged(9999 * 24h, R"("maximum":null)"), "");
}

TEST(ImageAge, OddDatesAreNone) {
  const struct {
    std::optional<std::chrono::sys_seconds> created;
    bool dated;
  } rows[] = {
      {std::nullopt, false},
      {std::chrono::sys_seconds{}, false},
      {std::chrono::sys_days(1980y / 1 / 1) + 1s, false},
      {std::chrono::sys_days(1y / 1 / 1), false},
      {std::chrono::sys_days(2000y / 1 / 1) - 1s, false},
      {std::chrono::sys_days(2000y / 1 / 1), true},
      {kNow + 24h, true},
      {kNow + 24h + 1s, false},
      {kNow, true},
  };
  for (const auto& row : rows) {
    Image image;
    image.config.created = row.created;
    const std::string said = Pod(image).said("image-age", R"("maximum":null,"undated":"report")");
    EXPECT_EQ(said, row.dated ? "" : kImage + "does not say when it was built\n");
    EXPECT_EQ(Pod(image).said("image-age", R"("maximum":null)"), "");
  }
}

TEST(ImageAge, AnnotationsAndLabelsStandIn) {
  constexpr const char* kCreated = "org.opencontainers.image.created";
  Image image;
  image.config.created = std::nullopt;
  image.config.labels = {{kCreated, "2025-01-01T00:00:00Z"}};
  EXPECT_NE(Pod(image).said("image-age").find("built 2025-01-01"), std::string::npos);
  image.manifest.annotations = {{kCreated, "2025-02-01T00:00:00Z"}};
  EXPECT_NE(Pod(image).said("image-age").find("built 2025-02-01"), std::string::npos);
  image.manifest.annotations = {{kCreated, "soon"}};
  EXPECT_NE(Pod(image).said("image-age").find("built 2025-01-01"), std::string::npos);
  ImageFacts facts = facts_of(image);
  facts.resolution->annotations = {{kCreated, "2025-03-01T00:00:00Z"}};
  EXPECT_NE(Pod(std::vector{facts}).said("image-age").find("built 2025-03-01"), std::string::npos);
  image.config.created = kNow;
  EXPECT_EQ(Pod(image).said("image-age"), "");
}

TEST(ImageAge, TheOldestPlatformCounts) {
  Image young;
  Image old;
  old.config.created = kNow - 400 * 24h;
  EXPECT_NE(two_platforms(young, old).said("image-age").find("400 days"), std::string::npos);
  old.config.created = std::nullopt;
  EXPECT_EQ(two_platforms(young, old).said("image-age"), "");
  EXPECT_NE(two_platforms(young, old).said("image-age", R"("undated":"report")"), "");
}

TEST(ImageLabels, AreFoundWhereverTheyStand) {
  const char* required = R"("required":["team","source"])";
  ImageFacts facts = facts_of(Image());
  EXPECT_EQ(Pod(std::vector{facts}).said("image-labels"), "");
  EXPECT_EQ(Pod(std::vector{facts}).said("image-labels", required),
            kImage + "lacks the labels team, source\n");
  Image image;
  image.config.labels = {{"team", "a"}, {"source", ""}};
  EXPECT_EQ(Pod(image).said("image-labels", required), kImage + "lacks the label source\n");
  image.manifest.annotations = {{"source", "https://h"}};
  EXPECT_EQ(Pod(image).said("image-labels", required), "");
  image.manifest.annotations.clear();
  facts = facts_of(image);
  facts.resolution->annotations = {{"source", "https://h"}};
  EXPECT_EQ(Pod(std::vector{facts}).said("image-labels", required), "");
  EXPECT_EQ(two_platforms(image, Image()).said("image-labels", required),
            kImage + "lacks the labels team, source\n");
}

Pod offering(const std::vector<const char*>& platforms) {
  ImageFacts facts = facts_of(Image());
  facts.resolution->is_index = true;
  for (const char* platform : platforms) {
    facts.resolution->platforms.push_back({*parse_platform(platform), ""});
  }
  return Pod(std::vector{facts});
}

TEST(ImagePlatforms, AreOfferedByAnIndex) {
  const struct {
    std::vector<const char*> offered;
    const char* parameters;
    const char* found;  // "": nothing is found
  } rows[] = {
      {{"linux/amd64"}, "", ""},
      {{"linux/amd64", "linux/arm64"}, R"("required":["linux/amd64","linux/arm64"])", ""},
      {{"linux/amd64"},
       R"("required":["linux/amd64","linux/arm64"])",
       "does not exist for linux/arm64; it is there for linux/amd64\n"},
      {{"linux/arm64"}, "", "does not exist for linux/amd64; it is there for linux/arm64\n"},
      {{}, "", "does not exist for linux/amd64; it is there for nothing\n"},
      {{"linux/arm/v6"}, R"("required":["linux/arm/v7"])", ""},
      {{"linux/arm/v7"},
       R"("required":["linux/arm/v6"])",
       "does not exist for linux/arm/v6; it is there for linux/arm/v7\n"},
      {{"windows/amd64"}, "", "does not exist for linux/amd64; it is there for windows/amd64\n"},
      {{"linux/arm64"}, R"("required":["linux/aarch64"])", ""},
  };
  for (const auto& row : rows) {
    const std::string found = row.found;
    EXPECT_EQ(offering(row.offered).said("image-platforms", row.parameters),
              found.empty() ? "" : kImage + found);
  }
}

TEST(ImagePlatforms, OneManifestIsForOne) {
  EXPECT_EQ(Pod(Image()).said("image-platforms"), "");
  Image arm;
  arm.platform.architecture = "arm64";
  EXPECT_EQ(Pod(arm).said("image-platforms"),
            kImage + "does not exist for linux/amd64; it is there for linux/arm64\n");
  ImageFacts facts = facts_of(Image());
  facts.platforms.insert(facts.platforms.begin(),
                         tests::unknown_platform(UnknownReason::kNoMatchingPlatform));
  EXPECT_EQ(Pod(std::vector{facts}).said("image-platforms"), "");
}

TEST(HealthCheck, AnImagesCountsWhereThePolicySaysSo) {
  const char* both = R"("accept":["probe","image"])";
  const std::string none =
      "container \"c0\" has no health check: no liveness, readiness or startup probe";
  const struct {
    ImageHealthCheck state;
    const char* found;  // nullptr: nothing is found
  } rows[] = {
      {ImageHealthCheck::kPresent, nullptr},
      {ImageHealthCheck::kAbsent, ", and the image has no HEALTHCHECK\n"},
      {ImageHealthCheck::kDisabled,
       ", and the image switches its HEALTHCHECK off (HEALTHCHECK NONE)\n"},
      {ImageHealthCheck::kDropped,
       ", and the image has no HEALTHCHECK (buildah and podman drop it unless --format docker)\n"},
  };
  for (const auto& row : rows) {
    Image image;
    image.config.health_check = row.state;
    std::string expected;
    if (row.found != nullptr) {
      expected = none + row.found;
      expected += "the policy would accept a HEALTHCHECK; the kubelet ignores it\n";
    }
    EXPECT_EQ(Pod(image).said("health-check", both), expected);
    EXPECT_EQ(Pod(image).said("health-check"), none + "\n");
  }
  Image checked;
  checked.config.health_check = ImageHealthCheck::kPresent;
  EXPECT_EQ(two_platforms(checked, Image()).judge("health-check", both).size(), 1U);
}

TEST(HealthCheck, NeedsTheImageOnlyWithoutAProbe) {
  const char* both = R"("accept":["probe","image"])";
  const char* probe = R"(,"readinessProbe":{"tcpSocket":{"port":1}})";
  EXPECT_EQ(Pod(1, "", "").needs("health-check", both), kConfig);
  EXPECT_EQ(Pod(1, "", "").needs("health-check", R"("accept":["image"])"), kConfig);
  EXPECT_EQ(Pod(1, "", "").needs("health-check"), kNoFacts);
  EXPECT_EQ(Pod(1, "", probe).needs("health-check", both), kNoFacts);
  EXPECT_EQ(Pod(1, "", probe).needs("health-check", R"("accept":["image"])"), kNoFacts);
  EXPECT_EQ(Pod(1, R"("restartPolicy":"Never")", "").needs("health-check", both), kNoFacts);
  EXPECT_EQ(Pod(1, "", probe).said("health-check", R"("accept":["image"])"), "");
  EXPECT_EQ(Pod(1, "", "").said("health-check", both), "");  // nobody looked it up
}

TEST(ImageRules, ConcernImageVolumesWhereTheyAreNotRun) {
  const std::string volume =
      R"("volumes":[{"name":"v","image":{"reference":"registry.test/models:1"}}])";
  const tests::ParsedWorkload workload(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{)" + volume + "}}");
  const std::vector<const Container*> containers = {workload->containers.data()};
  const auto needs = [&](const std::string& rule, const std::string& parameters = "") {
    const tests::SetRule set(rule, parameters);
    return set.rule().needs({*workload, containers, set.parameters()}, *containers[0]);
  };
  EXPECT_EQ(needs("image-user"), kNoFacts);
  EXPECT_EQ(needs("health-check", R"("accept":["image"])"), kNoFacts);
  EXPECT_NE(needs("image-size"), kNoFacts);
  EXPECT_NE(needs("image-exists"), kNoFacts);
}

TEST(ImageRules, NeedNothingWhereNothingIsDemanded) {
  const Pod pod(1, "", "");
  EXPECT_EQ(pod.needs("base-image"), kNoFacts);
  EXPECT_EQ(pod.needs("image-labels"), kNoFacts);
  EXPECT_EQ(pod.needs("image-exists"), kResolution | kManifest);
  EXPECT_EQ(pod.needs("image-size"), kManifest | kConfig);
  EXPECT_EQ(pod.needs("image-scan"), kResolution | kScan);
  EXPECT_EQ(pod.needs("image-secrets"), kConfig);
}

}  // namespace
}  // namespace plimsoll::policy
