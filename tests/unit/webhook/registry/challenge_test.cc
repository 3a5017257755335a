#include "webhook/registry/challenge.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::registry {
namespace {

// "bearer realm=a service=b | basic realm=c"
std::string text_of(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += (text.empty() ? "" : " | ") + challenge.scheme;
    for (const auto& [name, value] : challenge.parameters) text += " " + name + "=" + value;
  }
  return text;
}

TEST(Challenge, IsReadAsTheStandardSays) {
  const struct {
    std::string_view header;
    std::string_view read;
  } rows[] = {
      {R"(Bearer realm="https://a/token",service="b",scope="repository:x:pull,push")",
       "bearer realm=https://a/token service=b scope=repository:x:pull,push"},
      {R"(bEARER rEALM="a" , SERVICE=b)", "bearer realm=a service=b"},
      {R"(Basic realm="a \"quoted\" one")", "basic realm=a \"quoted\" one"},
      {R"(Basic realm=a, Bearer realm=b)", "basic realm=a | bearer realm=b"},
      {R"(Negotiate, Bearer realm=b)", "negotiate | bearer realm=b"},
      {R"(Negotiate abc==, Bearer realm=b)", "negotiate | bearer realm=b"},
      {R"(Bearer realm = "a")", "bearer realm=a"},
      {R"(Basic)", "basic"},
      {R"(,, Basic realm=a ,,)", "basic realm=a"},
      {R"(Bearer realm="unterminated)", "bearer"},
      {R"(Bearer realm=)", "bearer"},
      {R"("quoted")", ""},
      {"", ""},
      {"\x01\x02", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(text_of(parse_challenges({row.header})), row.read) << row.header;
  }
}

TEST(Challenge, HeadersAreReadOneAfterTheOtherWithinLimits) {
  EXPECT_EQ(text_of(parse_challenges({"Negotiate", "Basic realm=x"})), "negotiate | basic realm=x");
  EXPECT_EQ(parse_challenges({"A, B, C, D, E, F"}).size(), kMaxChallenges);
  std::string many = "Bearer ";
  for (int i = 0; i < 100; ++i) many += "p" + std::to_string(i) + "=v, ";
  EXPECT_EQ(parse_challenges({many})[0].parameters.size(), kMaxChallengeParameters);
  const std::string huge = "Bearer realm=\"" + std::string(kMaxChallengeBytes, 'a') + "\"";
  EXPECT_TRUE(parse_challenges({huge}).empty());
}

}  // namespace
}  // namespace plimsoll::webhook::registry
