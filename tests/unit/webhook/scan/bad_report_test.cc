#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

struct Row {
  const char* text;
  const char* sentence;  // a part of it
};

void expect_refused(const Row& row, const std::string& file_digest = "") {
  const auto items = read_text(row.text, file_digest);
  ASSERT_FALSE(items.has_value()) << row.text;
  EXPECT_NE(items.error().find(row.sentence), std::string::npos) << row.text << "\n"
                                                                 << items.error();
}

TEST(BadReport, WhatIsNoReport) {
  const Row rows[] = {
      {"", "not valid JSON"},
      {"{\"SchemaVersion\": 2, \"Resul", "not valid JSON"},
      {"[]", "no JSON object"},
      {"{}", "no report that is known: Trivy's or Grype's JSON, SARIF, or plimsoll.dev/v1alpha1"},
      {R"({"bomFormat": "CycloneDX"})", "no report that is known"},
      {R"({"matches": {}})", "no report that is known"},
      {R"({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "Policy", "items": []})",
       "no report that is known"},
      {R"({"apiVersion": "plimsoll.dev/v1alpha1", "items": []})", "no report that is known"},
  };
  for (const Row& row : rows) expect_refused(row, digest_of('a'));
}

TEST(BadReport, WhatLooksCleanForAnotherShape) {
  const Row rows[] = {
      {R"({"SchemaVersion": 1})", "only those with SchemaVersion 2"},
      {R"({"SchemaVersion": "2"})", "only those with SchemaVersion 2"},
      {R"({"SchemaVersion": 2, "Results": {}})", "Results must be a list, not an object"},
      {R"({"SchemaVersion": 2, "Results": [7]})", "Results[0] must be an object, not a number"},
      {R"({"SchemaVersion": 2, "Results": [{"Vulnerabilities": "none"}]})",
       "Results[0]: Vulnerabilities must be a list, not a string"},
      {R"({"SchemaVersion": 2, "Results": [{}, {"Secrets": 1}]})", "Results[1]: Secrets must be"},
      {R"({"matches": [null]})", "matches[0] must be an object, not null"},
      {R"({"runs": []})", "no runs, so nothing was scanned"},
      {R"({"runs": [{}]})", "runs[0]: it has no results, so nothing was scanned"},
      {R"({"runs": [{"results": null}]})", "runs[0]: it has no results, so nothing was scanned"},
      {R"({"runs": [{"results": []}, {"results": true}]})", "runs[1]: results must be a list"},
  };
  for (const Row& row : rows) expect_refused(row, digest_of('a'));
}

TEST(BadReport, NeutralItems) {
  const Row rows[] = {
      {R"("digest": "sha256:12")", "items[0]: digest must be sha256: and 64 hexadecimal digits"},
      {R"("digest": "DIGEST", "status": "scanned")", "needs counts or vulnerabilities"},
      {R"("digest": "DIGEST", "counts": [])", "counts must be an object"},
      {R"("digest": "DIGEST", "counts": {"critical": 5})", "counts.critical must be such as"},
      {R"("digest": "DIGEST", "counts": {"high": {"total": -1}})", "counts.high must be such as"},
      {R"("digest": "DIGEST", "counts": {"high": {"total": 1, "fixable": 2}})",
       "counts.high: more are fixable than there are"},
      {R"("digest": "DIGEST", "counts": {"high": {"total": 1, "fixable": "1"}})",
       "counts.high.fixable must be a whole number"},
      {R"("digest": "DIGEST", "vulnerabilities": 3)", "vulnerabilities must be a list"},
      {R"("digest": "DIGEST", "expiresAt": "next week")", "expiresAt must be a time such as"},
      {R"("digest": "DIGEST", "scannedAt": 17)", "scannedAt must be a time such as"},
      {R"("allowTagMatch": true, "image": "team/APP")", "image is no reference"},
      {R"("image": "team/app:1")", "names no digest; name the file sha256-<digest of the image>"},
  };
  for (const Row& row : rows) {
    const std::string text =
        R"({"apiVersion": "imageverdicts/v1", "items": [{)" + std::string(row.text) + "}]}";
    expect_refused({text.c_str(), row.sentence});
  }
  expect_refused({R"({"apiVersion": "imageverdicts/v1"})", "items must be a list"});
  expect_refused({R"({"apiVersion": "imageverdicts/v1", "items": [1]})", "items[0] must be an"});
  expect_refused({R"({"apiVersion": "imageverdicts/v1", "items": [{"digest": "DIGEST"}, {}]})",
                  "an item names no digest"});
}

TEST(BadReport, DigestsThatDisagree) {
  expect_refused({R"({"SchemaVersion": 2})", "name the file sha256-<digest of the image>.json"});
  expect_refused({R"({"SchemaVersion": 2, "ArtifactName": "a@DIGEST"})",
                  "its name says another digest than its content"},
                 digest_of('b'));
  expect_refused({R"({"apiVersion": "imageverdicts/v1",
                      "items": [{"digest": "DIGEST"}, {"digest": "OTHER"}]})",
                  "about several images, and its name says one digest"},
                 digest_of('a'));
  EXPECT_TRUE(read_text(R"({"SchemaVersion": 2, "ArtifactName": "a@DIGEST"})", digest_of('a')));
}

TEST(BadReport, TimesInTheFuture) {
  const auto text_at = [](const char* time) {
    return R"({"SchemaVersion": 2, "ArtifactName": "a@DIGEST", "CreatedAt": ")" +
           std::string(time) + "\"}";
  };
  EXPECT_TRUE(read_text(text_at("2026-08-20T12:05:00Z")).has_value());
  const auto late = read_text(text_at("2026-08-20T12:05:01Z"));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error(),
            "it was scanned in the future, at 2026-08-20T12:05:01Z; see to the clocks");
}

}  // namespace
}  // namespace plimsoll::webhook::scan
