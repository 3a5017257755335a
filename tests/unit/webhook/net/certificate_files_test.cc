#include "webhook/net/certificate_files.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

using Change = CertificateFiles::Change;
using testing::HasSubstr;

class CertificateFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("plimsoll-" + std::to_string(getpid()) + "-" + test->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const PemPair& pair) const {
    std::ofstream(folder_ / "tls.crt") << pair.certificate;
    std::ofstream(folder_ / "tls.key") << pair.key;
  }
  static PemPair fresh() { return *make_self_signed(); }

  std::filesystem::path folder_;
};

TEST_F(CertificateFilesTest, SwapsOnlyWhatChanged) {
  write(fresh());
  CertificateFiles files(folder_ / "tls.crt", folder_ / "tls.key");
  ASSERT_TRUE(files.load());
  const auto first = files.current().read();
  EXPECT_EQ(files.poll().change, Change::kNone);
  write(fresh());
  EXPECT_EQ(files.poll().change, Change::kSwapped);
  EXPECT_NE(files.current().read()->fingerprint, first->fingerprint);
  EXPECT_EQ(files.swaps(), 1U);
}

TEST_F(CertificateFilesTest, KeepsTheOldPairOnAnyErrorAndTellsOnce) {
  write(fresh());
  CertificateFiles files(folder_ / "tls.crt", folder_ / "tls.key");
  ASSERT_TRUE(files.load());
  const auto kept = files.current().read()->fingerprint;

  std::ofstream(folder_ / "tls.key") << fresh().key;
  const auto mismatched = files.poll();
  EXPECT_EQ(mismatched.change, Change::kFailed);
  EXPECT_THAT(mismatched.message, HasSubstr("tls.crt"));
  EXPECT_EQ(files.poll().change, Change::kNone);

  std::filesystem::remove(folder_ / "tls.crt");
  EXPECT_EQ(files.poll().change, Change::kFailed);
  EXPECT_EQ(files.poll().change, Change::kNone);
  EXPECT_EQ(files.failures(), 2U);
  EXPECT_EQ(files.current().read()->fingerprint, kept);

  write(fresh());
  EXPECT_EQ(files.poll().change, Change::kSwapped);
}

TEST_F(CertificateFilesTest, SaysWhichFileIsMissingOrTooLarge) {
  CertificateFiles missing(folder_ / "tls.crt", folder_ / "tls.key");
  const auto none = missing.load();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("tls.crt: cannot be opened"));
  write({std::string(kMaxPemBytes + 1, 'x'), ""});
  CertificateFiles large(folder_ / "tls.crt", folder_ / "tls.key");
  const auto much = large.load();
  ASSERT_FALSE(much);
  EXPECT_THAT(much.error().message, HasSubstr("64 KiB"));
}

}  // namespace
}  // namespace plimsoll::webhook::net
