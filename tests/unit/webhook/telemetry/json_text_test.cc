#include "webhook/telemetry/json_text.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace plimsoll::webhook::telemetry {
namespace {

TEST(JsonText, ReadsBackAsWhatItWas) {
  std::string every;
  for (char c = 0; c < 0x7F; ++c) every += c;
  for (const std::string& text : {std::string(),
                                  std::string("plain"),
                                  every,
                                  std::string("grün \x7F"),
                                  std::string("\"\\/\b\f\n\r\t"),
                                  std::string("\xF0\x9F\x9A\xA2")}) {
    std::string json;
    append_json_string(json, text);
    const auto read = nlohmann::json::parse(json, nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << json;
    EXPECT_EQ(read, text);
  }
}

TEST(JsonText, StaysOnOneLine) {
  std::string json;
  append_json_string(json, "a\nb\rc");
  EXPECT_EQ(json, R"("a\nb\u000dc")");
}

}  // namespace
}  // namespace plimsoll::webhook::telemetry
