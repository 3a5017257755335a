#include "webhook/admission/circumstances.h"

#include <gtest/gtest.h>

#include "tests/support/silent_server.h"
#include "tests/unit/webhook/admission/endpoint.h"

namespace plimsoll::webhook::admission {
namespace {

TEST(Circumstances, AreNotAskedForWhereThereCanBeNoSuchNamespace) {
  SilentServer server;
  telemetry::Log log(telemetry::LogLevel::kError);
  cluster::ApiThread thread(server.access(), {}, log);
  policy_sources::ClusterPolicies cluster(thread, {}, [](const auto&) {}, log);
  const ClusterSources sources{&cluster, nullptr};
  const auto policies =
      policies_from(R"({"match":{"namespaceSelector":{"matchLabels":{"tier":"gold"}}},)"
                    R"("rules":{"image-tag":{"action":"enforce"}}})");
  ASSERT_TRUE(policies->needs_namespace_labels);
  const struct {
    std::string name;
    bool asked;
    bool unknown;
  } rows[] = {{"invented", true, true},
              {std::string(63, 'a'), true, true},
              {std::string(64, 'a'), false, true},
              {std::string(1u << 20U, 'a'), false, true},
              {"Shop", false, true},
              {"a.b", false, true},
              {"", false, false}};
  for (const auto& row : rows) {
    Circumstances circumstances;
    EXPECT_EQ(circumstances.look(sources, *policies, {}, row.name), !row.asked) << row.name;
    policy::Review review;
    circumstances.tell(review);
    EXPECT_EQ(review.namespace_labels_failed, row.unknown) << row.name;
  }
}

}  // namespace
}  // namespace plimsoll::webhook::admission
