#include "webhook/admission/uid_scan.h"

#include <algorithm>

namespace plimsoll::webhook::admission {
namespace {

// Walks JSON text token by token and knows only how deep it is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<ScannedReview> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
        if (found_ || hopeless_) break;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') open(c == '{');
      if (c == '}' || c == ']') close();
      if (c == ':') after_colon_ = true;
      if (c == ',') after_colon_ = false;
    }
    if (!found_) return std::nullopt;
    return review_;
  }

 private:
  void open(bool object) {
    ++depth_;
    if (depth_ == 2 && in_request_key_ && after_colon_ && object) in_request_ = true;
    after_colon_ = false;
  }

  void close() {
    if (depth_ == 2) in_request_ = false;
    if (depth_ > 0) --depth_;
    after_colon_ = false;
  }

  // The text between the quotes; the scanner stands behind it. Nothing where it does not end.
  std::optional<std::string_view> string_body() {
    const std::size_t start = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return std::nullopt;
    return text_.substr(start, at_++ - start);
  }

  void take_string() {
    const std::optional<std::string_view> body = string_body();
    if (!body) {
      hopeless_ = true;
      return;
    }
    const bool is_value = after_colon_;
    after_colon_ = false;
    if (!is_value) {
      key_ = *body;
      if (depth_ == 1) in_request_key_ = key_ == "request";
      return;
    }
    if (depth_ == 1 && key_ == "apiVersion") review_.api_version = *body;
    if (depth_ == 2 && in_request_ && key_ == "uid") take_uid(*body);
  }

  void take_uid(std::string_view uid) {
    // Escapes are not undone: no uid needs any.
    const bool printable =
        std::ranges::all_of(uid, [](char c) { return c > 0x20 && c < 0x7F && c != '\\'; });
    hopeless_ = uid.empty() || uid.size() > kMaxUidBytes || !printable;
    found_ = !hopeless_;
    review_.uid = uid;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string_view key_;
  bool after_colon_ = false;
  bool in_request_key_ = false;
  bool in_request_ = false;
  bool found_ = false;
  bool hopeless_ = false;
  ScannedReview review_;
};

}  // namespace

std::optional<ScannedReview> scan_review(std::string_view body) {
  return Scanner(body).run();
}

}  // namespace plimsoll::webhook::admission
