#include "policy/workload_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/parsed_workload.h"

namespace plimsoll::policy {
namespace {

using tests::ParsedWorkload;

std::string pod(const std::string& spec) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n"},"spec":)" +
         spec + "}";
}

TEST(WorkloadReader, FindsTheTemplateOfEveryKind) {
  const struct {
    const char* api_version;
    const char* kind;
    const char* before;
    const char* after;
  } rows[] = {
      {"v1", "Pod", "", ""},
      {"apps/v1", "Deployment", R"("spec":{"template":{)", "}}"},
      {"apps/v1", "StatefulSet", R"("spec":{"template":{)", "}}"},
      {"apps/v1", "DaemonSet", R"("spec":{"template":{)", "}}"},
      {"apps/v1", "ReplicaSet", R"("spec":{"template":{)", "}}"},
      {"v1", "ReplicationController", R"("spec":{"template":{)", "}}"},
      {"batch/v1", "Job", R"("spec":{"template":{)", "}}"},
      {"batch/v1", "CronJob", R"("spec":{"jobTemplate":{"spec":{"template":{)", "}}}}"},
      {"v1", "PodTemplate", R"("template":{)", "}"},
      {"argoproj.io/v1alpha1", "Rollout", R"("spec":{"template":{)", "}}"},
      {"serving.knative.dev/v1", "Service", R"("spec":{"template":{)", "}}"},
      {"extensions/v1beta1", "Deployment", R"("spec":{"template":{)", "}}"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.kind);
    const ParsedWorkload workload(
        std::string(R"({"apiVersion":")") + row.api_version + R"(","kind":")" + row.kind + "\"," +
        row.before + R"("spec":{"containers":[{"name":"c","image":"nginx:1"}]})" + row.after + "}");
    ASSERT_TRUE(workload.result());
    ASSERT_EQ(workload->containers.size(), 1U);
    EXPECT_EQ(workload->containers[0].name, "c");
    EXPECT_EQ(workload->kind, row.kind);
    EXPECT_TRUE(workload->malformed.empty());
  }
}

TEST(WorkloadReader, AWrongGroupIsForgivenForBuiltInKindsOnly) {
  EXPECT_NE(find_workload_kind("apps/v1beta2", "DaemonSet"), nullptr);
  EXPECT_NE(find_workload_kind("v1", "Deployment"), nullptr);
  EXPECT_EQ(find_workload_kind("v1", "Service"), nullptr);
  EXPECT_EQ(find_workload_kind("apps/v1", "Rollout"), nullptr);
  EXPECT_EQ(find_workload_kind("v1", "ConfigMap"), nullptr);
}

TEST(WorkloadReader, EnumeratesEveryImage) {
  const ParsedWorkload workload(pod(R"({
    "volumes":[{"name":"tmp","emptyDir":{}},
               {"name":"model","image":{"reference":"quay.io/m:1","pullPolicy":"Always"}}],
    "ephemeralContainers":[{"name":"e","image":"e:1"}],
    "initContainers":[{"name":"i","image":"i:1"},
                      {"name":"s","restartPolicy":"Always","image":"s:1"},
                      {"name":"o","restartPolicy":"OnFailure","image":"o:1"}],
    "containers":[{"name":"c","image":"c:1"}]})"));
  ASSERT_TRUE(workload.result());
  const struct {
    const char* name;
    ContainerClass container_class;
    const char* pointer;
  } rows[] = {
      {"i", ContainerClass::kInit, "/spec/initContainers/0/image"},
      {"s", ContainerClass::kSidecar, "/spec/initContainers/1/image"},
      {"o", ContainerClass::kInit, "/spec/initContainers/2/image"},
      {"c", ContainerClass::kContainer, "/spec/containers/0/image"},
      {"e", ContainerClass::kEphemeral, "/spec/ephemeralContainers/0/image"},
      {"model", ContainerClass::kImageVolume, "/spec/volumes/1/image/reference"},
  };
  ASSERT_EQ(workload->containers.size(), std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Container& container = workload->containers[i];
    EXPECT_EQ(container.name, rows[i].name);
    EXPECT_EQ(container.container_class, rows[i].container_class) << rows[i].name;
    EXPECT_EQ(image_pointer(*workload, container), rows[i].pointer);
    EXPECT_TRUE(container.reference) << rows[i].name;
  }
  EXPECT_EQ(workload->containers[5].pull_policy, "Always");
}

TEST(WorkloadReader, NotesWrongTypesAndReadsTheRest) {
  const struct {
    const char* spec;
    const char* pointer;
    std::size_t containers;
  } rows[] = {
      {R"({"containers":"x"})", "/spec/containers", 0},
      {R"({"containers":{"a":1}})", "/spec/containers", 0},
      {R"({"containers":[null,{"image":"a:1"}]})", "/spec/containers/0", 1},
      {R"({"containers":[7,{"image":"a:1"}]})", "/spec/containers/0", 1},
      {R"({"containers":[{"name":5,"image":"a:1"}]})", "/spec/containers/0/name", 1},
      {R"({"containers":[{"image":["a"]}]})", "/spec/containers/0/image", 1},
      {R"({"containers":[{"image":"a:1","env":[{"name":"A","value":1}]}]})",
       "/spec/containers/0/env/0/value",
       1},
      {R"({"containers":[{"image":"a:1","livenessProbe":"yes"}]})",
       "/spec/containers/0/livenessProbe",
       1},
      {R"({"containers":[{"image":"a:1","livenessProbe":{"periodSeconds":"1"}}]})",
       "/spec/containers/0/livenessProbe/periodSeconds",
       1},
      {R"({"containers":[{"image":"a:1","resources":[]}]})", "/spec/containers/0/resources", 1},
      {R"({"containers":[],"volumes":[{"name":"v","image":"x"}]})", "/spec/volumes/0/image", 0},
      {R"([])", "/spec", 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.spec);
    const ParsedWorkload workload(pod(row.spec));
    ASSERT_TRUE(workload.result());
    ASSERT_EQ(workload->malformed.size(), 1U);
    EXPECT_EQ(workload->malformed[0].pointer, row.pointer);
    EXPECT_EQ(workload->containers.size(), row.containers);
  }
}

TEST(WorkloadReader, NullIsAbsent) {
  for (const char* spec :
       {R"({"containers":null})",
        R"(null)",
        R"({"containers":[],"securityContext":null})",
        R"({"containers":[{"image":null,"livenessProbe":null,"env":null,"resources":null}]})",
        R"({"containers":[{"livenessProbe":{"httpGet":null}}]})"}) {
    SCOPED_TRACE(spec);
    const ParsedWorkload workload(pod(spec));
    ASSERT_TRUE(workload.result());
    EXPECT_TRUE(workload->malformed.empty());
    for (const Container& container : workload->containers)
      EXPECT_FALSE(container.liveness.usable());
  }
}

TEST(WorkloadReader, OfRepeatedKeysTheLastOneCounts) {
  const ParsedWorkload workload(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"labels":{"a":"1","a":"2"}},
          "spec":{"containers":[{"image":"old:1"},{"image":"old:2"}],
                  "containers":[{"image":"x:latest","image":"new:1",
                                 "livenessProbe":{"exec":{}},"livenessProbe":null,
                                 "resources":{"limits":{"cpu":"1","cpu":"2"}}}]}})");
  ASSERT_TRUE(workload.result());
  ASSERT_EQ(workload->containers.size(), 1U);
  const Container& container = workload->containers[0];
  EXPECT_EQ(container.image, "new:1");
  EXPECT_FALSE(container.liveness.present);
  ASSERT_EQ(container.limits.size(), 1U);
  EXPECT_EQ(container.limits[0].quantity, "2");
  EXPECT_EQ(find_label(workload->labels, "a"), "2");
}

TEST(WorkloadReader, KeysAreCaseSensitive) {
  const ParsedWorkload workload(
      pod(R"({"Containers":[{"image":"a"}],"containers":[{"Image":"b"}]})"));
  ASSERT_EQ(workload->containers.size(), 1U);
  EXPECT_EQ(workload->containers[0].image, "");
}

TEST(WorkloadReader, ReadsProbesAfterDefaulting) {
  const ParsedWorkload workload(pod(R"({"containers":[{"image":"a:1",
      "livenessProbe":{"httpGet":{"port":"web","path":"/h"},"periodSeconds":0},
      "readinessProbe":{"tcpSocket":{"port":8080},"failureThreshold":5},
      "startupProbe":{}}]})"));
  const Container& container = workload->containers[0];
  EXPECT_EQ(container.liveness.handler, ProbeHandler::kHttpGet);
  EXPECT_EQ(container.liveness.port_name, "web");
  EXPECT_EQ(container.liveness.scheme, "HTTP");
  EXPECT_EQ(container.liveness.period, 10);
  EXPECT_EQ(container.readiness.port, 8080);
  EXPECT_EQ(container.readiness.failure_threshold, 5);
  EXPECT_EQ(container.readiness.timeout, 1);
  EXPECT_TRUE(container.startup.present);
  EXPECT_FALSE(container.startup.usable());
}

TEST(WorkloadReader, ReadsQuantitiesWrittenAsNumbers) {
  const ParsedWorkload workload(
      pod(R"({"containers":[{"resources":{"requests":{"cpu":0.5,"memory":1000}}}]})"));
  const Container& container = workload->containers[0];
  ASSERT_EQ(container.requests.size(), 2U);
  EXPECT_EQ(container.requests[0].quantity, "0.5");
  EXPECT_EQ(container.requests[1].quantity, "1000");
}

TEST(WorkloadReader, RefusesTooManyContainersAndEntries) {
  std::string containers = R"({"containers":[{})";
  for (std::size_t i = 0; i < kMaxContainers; ++i) containers += ",{}";
  const ParsedWorkload many(pod(containers + "]}"));
  ASSERT_FALSE(many.result());
  EXPECT_EQ(many.result().error().kind, ErrorKind::kTooLarge);

  std::string env = R"({"containers":[{"env":[{})";
  for (std::size_t i = 0; i < kMaxEntries; ++i) env += ",{}";
  const ParsedWorkload large(pod(env + "]}]}"));
  ASSERT_FALSE(large.result());
  EXPECT_EQ(large.result().error().kind, ErrorKind::kTooLarge);
}

TEST(WorkloadReader, KeepsOnlySoManyNotes) {
  std::string containers = R"({"containers":[1)";
  for (int i = 0; i < 100; ++i) containers += ",1";
  const ParsedWorkload workload(pod(containers + "]}"));
  ASSERT_TRUE(workload.result());
  EXPECT_EQ(workload->malformed.size(), kMaxMalformed);
}

TEST(FieldPath, ReadsLikeKubernetesWritesIt) {
  EXPECT_EQ(field_path("/spec/template/spec/containers/0/image"),
            "spec.template.spec.containers[0].image");
  EXPECT_EQ(field_path("/metadata/labels/app.kubernetes.io~1name"),
            "metadata.labels.app.kubernetes.io/name");
  EXPECT_EQ(field_path(""), "");
}

}  // namespace
}  // namespace plimsoll::policy
