#include "webhook/registry/challenge.h"

#include <algorithm>

#include "policy/ascii.h"

namespace plimsoll::webhook::registry {
namespace {

bool is_token_char(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return policy::is_alnum(c) || kOthers.find(c) != std::string_view::npos;
}

class ChallengeReader {
 public:
  ChallengeReader(std::string_view text, std::vector<Challenge>& challenges)
      : text_(text), challenges_(challenges) {}

  void read() {
    while (skip_separators() && read_challenge()) {
    }
  }

 private:
  bool read_challenge() {
    const std::string scheme = token();
    if (scheme.empty() || challenges_.size() == kMaxChallenges) return false;
    challenges_.push_back({scheme, {}});
    if (!skip_blanks()) return false;
    while (true) {
      const std::size_t before = at_;
      const std::string name = token();
      skip_blanks();
      if (name.empty() && at_ < text_.size() && text_[at_] == ',') return true;
      // Another scheme, or the token68 of one: what follows is no parameter.
      if (name.empty() || at_ >= text_.size() || text_[at_] != '=') {
        at_ = before;
        return !name.empty() && before > 0 && text_[before - 1] != '=';
      }
      if (skip_token68_end()) return true;
      ++at_;
      skip_blanks();
      std::string value;
      if (!read_value(value)) return false;
      auto& parameters = challenges_.back().parameters;
      if (parameters.size() < kMaxChallengeParameters) parameters.emplace_back(name, value);
      if (!skip_separators()) return false;
    }
  }

  // "abc==": the padding of a token68, behind which nothing but another challenge can stand.
  bool skip_token68_end() {
    const std::size_t end = std::min(text_.find_first_not_of('=', at_), text_.size());
    const bool at_end = end == text_.size() || text_[end] == ',' || text_[end] == ' ';
    const bool is_padding = end - at_ > 1 || end == text_.size() || text_[end] == ',';
    if (!at_end || !is_padding) return false;
    at_ = end;
    return true;
  }

  bool read_value(std::string& value) {
    if (at_ >= text_.size()) return false;
    if (text_[at_] != '"') {
      while (at_ < text_.size() && is_token_char(text_[at_])) value += text_[at_++];
      return !value.empty();
    }
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\') ++at_;
      if (at_ == text_.size()) return false;
      value += text_[at_];
    }
    return false;
  }

  std::string token() {
    std::string read;
    while (at_ < text_.size() && is_token_char(text_[at_])) read += policy::to_lower(text_[at_++]);
    return read;
  }

  bool skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size();
  }

  bool skip_separators() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == ',')) {
      ++at_;
    }
    return at_ < text_.size();
  }

  std::string_view text_;
  std::vector<Challenge>& challenges_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view Challenge::parameter(std::string_view name) const {
  const auto at = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return at == parameters.end() ? std::string_view() : std::string_view(at->second);
}

std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers) {
  std::vector<Challenge> challenges;
  for (const std::string_view header : headers) {
    if (header.size() <= kMaxChallengeBytes) ChallengeReader(header, challenges).read();
  }
  return challenges;
}

}  // namespace plimsoll::webhook::registry
