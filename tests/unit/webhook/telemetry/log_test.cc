#include "webhook/telemetry/log.h"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace plimsoll::webhook::telemetry {
namespace {

// What is written to standard output while `work` has a log of its own.
template <class Work>
std::vector<nlohmann::json> lines_of(LogLevel level, const Work& work) {
  testing::internal::CaptureStdout();
  {
    Log log(level);
    work(log);
  }
  std::istringstream text(testing::internal::GetCapturedStdout());
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_FALSE(lines.back().is_discarded()) << line;
  }
  return lines;
}

TEST(Log, WritesOneJsonObjectALine) {
  const auto lines = lines_of(LogLevel::kInfo, [](Log& log) {
    log.write(LogLevel::kWarn,
              "some \"event\"",
              {{"text", "a\nb"}, {"number", std::int64_t{-5}}, {"flag", true}});
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["level"], "warn");
  EXPECT_EQ(lines[0]["event"], "some \"event\"");
  EXPECT_EQ(lines[0]["text"], "a\nb");
  EXPECT_EQ(lines[0]["number"], -5);
  EXPECT_EQ(lines[0]["flag"], true);
  const std::string time = lines[0]["time"];
  EXPECT_EQ(time.size(), std::string("2026-11-23T12:00:00.000Z").size()) << time;
  EXPECT_TRUE(time.ends_with('Z'));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  const auto lines = lines_of(LogLevel::kError, [](Log& log) {
    log.write(LogLevel::kInfo, "quiet", {});
    log.write_limited(LogLevel::kWarn, "quiet", {});
    log.write(LogLevel::kError, "loud", {});
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["event"], "loud");
}

TEST(Log, LimitsWhatClientsCauseAndCountsTheRest) {
  std::uint64_t suppressed = 0;
  const auto lines = lines_of(LogLevel::kInfo, [&suppressed](Log& log) {
    for (int i = 0; i < 1000; ++i) log.write_limited(LogLevel::kInfo, "denied", {});
    suppressed = log.suppressed();
  });
  EXPECT_GE(lines.size(), static_cast<std::size_t>(Log::kBurst));
  EXPECT_LT(lines.size(), 300U);
  EXPECT_EQ(lines.size() + suppressed, 1000U);
}

TEST(Log, KnowsItsLevels) {
  EXPECT_EQ(log_level_of("debug"), LogLevel::kDebug);
  EXPECT_EQ(log_level_of("error"), LogLevel::kError);
  EXPECT_FALSE(log_level_of("loud"));
}

}  // namespace
}  // namespace plimsoll::webhook::telemetry
