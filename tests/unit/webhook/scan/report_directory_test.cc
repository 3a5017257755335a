#include "webhook/scan/report_directory.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/webhook/scan/report_text.h"

namespace plimsoll::webhook::scan {
namespace {

namespace filesystem = std::filesystem;
using policy::Severity;

std::string report(char digest, int high, const std::string& more = "") {
  return R"({"apiVersion": "imageverdicts/v1", "items": [{"digest": ")" + digest_of(digest) +
         R"(", "status": "scanned", "counts": {"high": {"total": )" + std::to_string(high) + "}}" +
         more + "}]}";
}

class ReportDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (filesystem::temp_directory_path() / "reports-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    directory_.emplace("files", (root_ / "reports").string());
    filesystem::create_directory(root_ / "reports");
  }
  void TearDown() override { filesystem::remove_all(root_); }

  filesystem::path in(const std::string& name) const { return root_ / "reports" / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(in(name), std::ios::binary) << text;
  }
  std::uint64_t poll() {
    directory_->poll(kNow);
    return directory_->revision();
  }
  // Of the digest, or -1.
  int high_of(char digest) const {
    const std::string text = digest_of(digest);
    ScanSubject subject;
    subject.index_digest = text;
    const VerdictPointer found = directory_->find(subject);
    return found == nullptr ? -1 : static_cast<int>(found->count(Severity::kHigh).total);
  }
  std::string only_error() const {
    const auto errors = directory_->errors();
    EXPECT_EQ(errors.size(), 1U);
    return errors.empty() ? "" : errors.front();
  }

  filesystem::path root_;
  std::optional<ReportDirectory> directory_;
};

TEST_F(ReportDirectoryTest, ReadsReportsOneLevelDeepAndOnlyWhatHasChanged) {
  filesystem::create_directories(in("team/deeper"));
  write("a.json", report('a', 1));
  write("team/b.sarif", report('b', 2));
  write("team/deeper/c.json", report('c', 3));
  write(".hidden.json", report('d', 4));
  write("e.txt", report('e', 5));
  const std::uint64_t first = poll();
  EXPECT_EQ(high_of('a'), 1);
  EXPECT_EQ(high_of('b'), 2);
  EXPECT_EQ(high_of('c'), -1);
  EXPECT_EQ(high_of('d'), -1);
  EXPECT_EQ(high_of('e'), -1);
  EXPECT_EQ(directory_->files(), 2U);
  EXPECT_EQ(directory_->items(), 2U);
  EXPECT_EQ(directory_->failures(), 0U);
  EXPECT_EQ(poll(), first);
  write("a.json", report('a', 10));
  EXPECT_NE(poll(), first);
  EXPECT_EQ(high_of('a'), 10);
}

TEST_F(ReportDirectoryTest, FollowsTheSymlinkSwapOfAConfigMap) {
  for (const char* version : {"..2026_1", "..2026_2"}) filesystem::create_directory(in(version));
  write("..2026_1/a.json", report('a', 1));
  write("..2026_2/a.json", report('a', 2));
  filesystem::create_directory_symlink("..2026_1", in("..data"));
  filesystem::create_symlink("..data/a.json", in("a.json"));
  poll();
  EXPECT_EQ(high_of('a'), 1);
  EXPECT_EQ(directory_->files(), 1U);
  filesystem::create_directory_symlink("..2026_2", in("..data_tmp"));
  filesystem::rename(in("..data_tmp"), in("..data"));
  filesystem::remove_all(in("..2026_1"));
  poll();
  EXPECT_EQ(high_of('a'), 2);
  EXPECT_TRUE(directory_->errors().empty());
}

TEST_F(ReportDirectoryTest, AHalfWrittenFileKeepsWhatItLastSaid) {
  write("a.json", report('a', 1));
  const std::uint64_t good = poll();
  write("a.json", report('a', 22).substr(0, 60));
  EXPECT_EQ(poll(), good);
  EXPECT_EQ(poll(), good);
  EXPECT_EQ(high_of('a'), 1);
  EXPECT_EQ(only_error(), in("a.json").string() + ": it is not valid JSON");
  EXPECT_EQ(directory_->failures(), 1U);
  write("a.json", report('a', 22));
  EXPECT_NE(poll(), good);
  EXPECT_EQ(high_of('a'), 22);
  EXPECT_TRUE(directory_->errors().empty());
}

TEST_F(ReportDirectoryTest, ARemovedFileTakesItsItemsAway) {
  write("a.json", report('a', 1));
  write("b.json", report('b', 2));
  const std::uint64_t before = poll();
  filesystem::remove(in("a.json"));
  EXPECT_NE(poll(), before);
  EXPECT_EQ(high_of('a'), -1);
  EXPECT_EQ(high_of('b'), 2);
  EXPECT_EQ(directory_->files(), 1U);
}

TEST_F(ReportDirectoryTest, AMissingDirectoryIsToldAndTakesNothingAway) {
  write("a.json", report('a', 1));
  const std::uint64_t before = poll();
  filesystem::rename(root_ / "reports", root_ / "elsewhere");
  EXPECT_EQ(poll(), before);
  EXPECT_EQ(high_of('a'), 1);
  EXPECT_EQ(only_error(), (root_ / "reports").string() + ": the directory cannot be listed");
  filesystem::rename(root_ / "elsewhere", root_ / "reports");
  EXPECT_EQ(poll(), before);
  EXPECT_TRUE(directory_->errors().empty());
}

TEST_F(ReportDirectoryTest, WhatIsNoRegularFileIsToldAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(in("pipe.json").c_str(), 0600), 0);
  filesystem::create_symlink("nowhere", in("dangling.json"));
  const std::uint64_t first = poll();
  const auto errors = directory_->errors();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0],
            in("dangling.json").string() + ": it cannot be opened: No such file or directory");
  EXPECT_EQ(errors[1], in("pipe.json").string() + ": it is no regular file");
  EXPECT_EQ(poll(), first);
  EXPECT_EQ(directory_->failures(), 2U);
}

TEST_F(ReportDirectoryTest, ATooLargeFileIsRefused) {
  write("a.json", report('a', 1));
  filesystem::resize_file(in("a.json"), kMaxReportBytes + 1);
  poll();
  EXPECT_EQ(high_of('a'), -1);
  EXPECT_EQ(only_error(), in("a.json").string() + ": it is larger than 16 MiB");
}

TEST_F(ReportDirectoryTest, TakesTheDigestFromTheFileName) {
  const std::string name = "sha256-" + std::string(64, 'a') + ".json";
  write(name, R"({"matches": []})");
  poll();
  EXPECT_EQ(high_of('a'), 0);
}

TEST_F(ReportDirectoryTest, AReportOfTheFutureIsReadWhenItIsOneNoMore) {
  write("a.json", report('a', 1, R"(, "scannedAt": "2026-08-20T12:06:00Z")"));
  poll();
  EXPECT_EQ(high_of('a'), -1);
  EXPECT_NE(only_error().find("scanned in the future"), std::string::npos);
  directory_->poll(kNow + std::chrono::seconds(59));
  EXPECT_EQ(high_of('a'), -1);
  directory_->poll(kNow + std::chrono::minutes(2));
  EXPECT_EQ(high_of('a'), 1);
  EXPECT_EQ(directory_->failures(), 1U);
}

TEST_F(ReportDirectoryTest, TheRevisionChangesWhenAnItemExpires) {
  write("a.json", report('a', 1, R"(, "expiresAt": "2026-08-20T13:00:00Z")"));
  const std::uint64_t fresh = poll();
  directory_->poll(kNow + std::chrono::minutes(59));
  EXPECT_EQ(directory_->revision(), fresh);
  directory_->poll(kNow + std::chrono::minutes(60));
  EXPECT_NE(directory_->revision(), fresh);
  const std::uint64_t expired = directory_->revision();
  directory_->poll(kNow + std::chrono::minutes(61));
  EXPECT_EQ(directory_->revision(), expired);
}

TEST_F(ReportDirectoryTest, ManyErrorsAreToldInAHundredLines) {
  for (int i = 0; i < 150; ++i) write("bad" + std::to_string(i) + ".json", "{");
  poll();
  const auto errors = directory_->errors();
  ASSERT_EQ(errors.size(), kMaxReportErrors);
  EXPECT_EQ(errors.back(), "and 51 more");
  EXPECT_EQ(directory_->failures(), 150U);
}

TEST_F(ReportDirectoryTest, DigestsComeBeforeTheReference) {
  write("a.json", report('a', 1));
  write("weak.json", R"({"apiVersion": "imageverdicts/v1", "items": [{"image": "app:1",
      "allowTagMatch": true, "status": "scanned", "counts": {"high": {"total": 9}}}]})");
  write("c.json", report('c', 3));
  poll();
  const std::string manifests[] = {digest_of('a'), digest_of('b'), digest_of('c')};
  const std::string_view both[] = {manifests[0], manifests[1]};
  const std::string_view config[] = {manifests[2]};
  ScanSubject subject;
  subject.reference = "docker.io/library/app:1";
  ASSERT_NE(directory_->find(subject), nullptr);
  EXPECT_TRUE(directory_->find(subject)->weak);
  subject.config_digests = config;
  EXPECT_EQ(directory_->find(subject)->count(Severity::kHigh).total, 3U);
  subject.manifest_digests = both;
  EXPECT_EQ(directory_->find(subject)->count(Severity::kHigh).total, 3U);
  subject.manifest_digests = std::span(both).first(1);
  EXPECT_EQ(directory_->find(subject)->count(Severity::kHigh).total, 1U);
}

TEST_F(ReportDirectoryTest, IsReadWhileItIsPolled) {
  write("a.json", report('a', 0));
  poll();
  std::atomic<bool> stop = false;
  std::thread reader([this, &stop] {
    while (!stop) {
      EXPECT_GE(high_of('a'), 0);
      directory_->errors();
    }
  });
  for (int i = 0; i < 100; ++i) {
    write("b.json", report('b', i));
    poll();
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace plimsoll::webhook::scan
