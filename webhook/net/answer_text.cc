#include "webhook/net/answer_text.h"

#include <array>
#include <charconv>

namespace plimsoll::webhook::net {
namespace {

std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

}  // namespace

void write_answer(const Answer& answer, bool close, bool head_only, std::string& out) {
  out.assign("HTTP/1.1 ");
  append_number(out, answer.status);
  out += ' ';
  out += reason_of(answer.status);
  out += "\r\nContent-Type: ";
  out += answer.content_type;
  out += "\r\nContent-Length: ";
  append_number(out, answer.body.size());
  if (!answer.allow.empty()) {
    out += "\r\nAllow: ";
    out += answer.allow;
  }
  if (answer.retry_after) out += "\r\nRetry-After: 1";
  if (close || answer.close) out += "\r\nConnection: close";
  out += "\r\n\r\n";
  if (!head_only) out += answer.body;
}

void set_refusal(Answer& answer, unsigned status, std::string_view text) {
  answer.reset();
  answer.status = status;
  answer.content_type = "text/plain; charset=utf-8";
  answer.close = true;
  answer.body = text;
  answer.body += '\n';
}

}  // namespace plimsoll::webhook::net
