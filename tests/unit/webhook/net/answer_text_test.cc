#include "webhook/net/answer_text.h"

#include <string>

#include <gtest/gtest.h>

namespace plimsoll::webhook::net {
namespace {

std::string text_of(const Answer& answer, bool close = false, bool head_only = false) {
  std::string out = "what was there before";
  write_answer(answer, close, head_only, out);
  return out;
}

TEST(AnswerText, IsAnHttpResponse) {
  Answer answer;
  answer.body = "{}";
  EXPECT_EQ(text_of(answer),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(text_of(answer, true, true),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n");
}

TEST(AnswerText, SaysWhatMayBeDoneInstead) {
  Answer answer;
  answer.status = 405;
  answer.allow = "POST";
  EXPECT_NE(text_of(answer).find("\r\nAllow: POST\r\n"), std::string::npos);
  answer.reset();
  answer.status = 503;
  answer.retry_after = true;
  EXPECT_NE(text_of(answer).find("503 Service Unavailable"), std::string::npos);
  EXPECT_NE(text_of(answer).find("\r\nRetry-After: 1\r\n"), std::string::npos);
}

TEST(AnswerText, ARefusalReplacesEverythingAndCloses) {
  Answer answer;
  answer.allow = "POST";
  answer.body = "half an answer";
  set_refusal(answer, 400, "no");
  EXPECT_EQ(text_of(answer),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 3\r\nConnection: close\r\n\r\nno\n");
}

}  // namespace
}  // namespace plimsoll::webhook::net
