#include "policy/command_secrets.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "policy/ascii.h"
#include "policy/command_value.h"
#include "policy/command_words.h"
#include "policy/rules/secret_shape.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kQuotes = "\"'`";
constexpr std::size_t kNone = std::string_view::npos;

constexpr bool is_in(char c, std::string_view set) {
  return set.find(c) != kNone;
}

constexpr bool is_name_character(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

bool is_hidden_header(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {
      "authorization", "proxy-authorization", "cookie", "set-cookie"};
  return std::ranges::any_of(
      kNames, [name](std::string_view word) { return equals_ignoring_case(name, word); });
}

bool starts_with_assignment(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_name_character(text[end])) ++end;
  return end > 0 && end < text.size() && text[end] == '=';
}

class CommandSearch {
 public:
  explicit CommandSearch(std::string_view text)
      : text_(text),
        declares_(text.starts_with("ENV ") || text.starts_with("LABEL ") ||
                  text.starts_with("ARG ") || text.starts_with('|')),
        is_pair_(starts_with_assignment(text)) {}

  std::vector<CommandSecret> run() {
    find_keys();
    find_assignments();
    find_userinfo();
    find_secret_words(text_, found_);
    return merged();
  }

 private:
  void add(std::size_t begin, std::size_t end, std::string_view name, std::string_view what) {
    if (begin < end) found_.push_back({begin, end, name, what});
  }

  void find_keys() {
    constexpr std::string_view kBegin = "-----BEGIN ";
    constexpr std::string_view kMark = "PRIVATE KEY-----";
    constexpr std::size_t kBetween = 32;  // "-----BEGIN OPENSSH "
    std::size_t mark = text_.find(kMark);
    while (mark != kNone) {
      const std::size_t from = mark < kBetween ? 0 : mark - kBetween;
      const std::size_t begin = text_.substr(from, mark - from).rfind(kBegin);
      const std::size_t last = text_.find(kMark, mark + kMark.size());
      const std::size_t end = last == kNone ? text_.size() : last + kMark.size();
      add(begin == kNone ? mark : from + begin, end, "", "a private key");
      mark = text_.find(kMark, end);
    }
  }

  // NAME=value, --name=value, "name": "value", 'Name: value'.
  void find_assignments() {
    std::size_t at = text_.find_first_of("=:");
    std::size_t free = 0;  // behind the last value found
    while (at != kNone) {
      free = std::max(free, look_at_assignment(at, free));
      at = text_.find_first_of("=:", std::max(at + 1, free));
    }
  }

  // The end of the value if it is a secret, else 0.
  std::size_t look_at_assignment(std::size_t separator, std::size_t free) {
    const bool colon = text_[separator] == ':';
    std::size_t name_end = separator;
    while (name_end > free && is_in(text_[name_end - 1], " \"'\\")) --name_end;
    std::size_t name_begin = name_end;
    while (name_begin > free && is_name_character(text_[name_begin - 1])) --name_begin;
    const std::string_view name = without_dashes(text_.substr(name_begin, name_end - name_begin));
    const bool header = colon && is_hidden_header(name);
    if (!header && !rules::is_secret_name(name)) return 0;
    std::size_t begin = separator + 1;
    const bool apart = name_end < separator || (begin < text_.size() && text_[begin] == ' ');
    // USER secret:secret, and host:port, are no assignments.
    if (colon && !header && !apart && !follows_header_option(name_begin)) return 0;
    while (begin < text_.size() && is_in(text_[begin], " \\")) ++begin;
    if (begin >= text_.size() || text_[begin] == '=') return 0;  // nothing, or a comparison
    const char opened = name_begin > 0 && name_end == separator ? text_[name_begin - 1] : ' ';
    const bool first = is_pair_ && name_begin == 0;
    const bool in_quotes = is_in(text_[begin], kQuotes) && !first;
    const std::size_t end = first       ? text_.size()
                            : in_quotes ? closing_quote(begin + 1, text_[begin])
                                        : value_end(begin, opened, header);
    if (in_quotes) ++begin;
    const std::string_view value = text_.substr(begin, end - begin);
    const bool secret =
        header ? !value.empty() && !is_value_reference(value) : is_secret_value(name, value);
    if (!secret) return 0;
    add(begin, end, name, header ? kHeaderSecret : secret_kind(value));
    return end;
  }

  bool follows_header_option(std::size_t at) const {
    while (at > 0 && is_in(text_[at - 1], " \"'\\")) --at;
    const std::string_view before = text_.substr(0, at);
    return before.ends_with("-H") || before.ends_with("--header");
  }

  // `opened`: the character before the name, perhaps a quote that holds name and value.
  std::size_t value_end(std::size_t begin, char opened, bool header) const {
    if (is_in(opened, kQuotes)) return closing_quote(begin, opened);
    if (declares_) return next_declaration(begin);
    const std::string_view ends = header ? "\"'`;|&\n" : " \t\r\n\"'`;|&)";
    return std::min(text_.find_first_of(ends, begin), text_.size());
  }

  std::size_t closing_quote(std::size_t from, char quote) const {
    std::size_t end = std::min(text_.find(quote, from), text_.size());
    while (end > from && text_[end - 1] == '\\') --end;
    return end;
  }

  // What ENV and its kin hold is written without quotes: a value ends before the next NAME=.
  std::size_t next_declaration(std::size_t from) const {
    for (std::size_t at = from; at < text_.size(); ++at) {
      if (!is_in(text_[at], " \t\r\n")) continue;
      if (text_.substr(at).starts_with(" /bin/")) return at;  // the shell behind arguments
      std::size_t end = at + 1;
      while (end < text_.size() && is_name_character(text_[end])) ++end;
      if (end > at + 1 && end < text_.size() && text_[end] == '=') return at;
      at = end - 1;
    }
    return text_.size();
  }

  // scheme://user:password@host, scheme://token@host.
  void find_userinfo() {
    constexpr std::size_t kLongUser = 16;  // bytes; longer ones are tokens
    std::size_t at = text_.find("://");
    while (at != kNone) {
      const std::size_t begin = at + 3;
      const std::size_t end = std::min(text_.find_first_of("/?# \t\r\n\"'`", begin), text_.size());
      const std::string_view authority = text_.substr(begin, end - begin);
      at = text_.find("://", begin);
      const std::size_t sign = authority.rfind('@');
      if (sign == kNone) continue;
      const std::string_view user = authority.substr(0, sign);
      const std::size_t colon = user.find(':');
      const std::string_view secret = colon == kNone ? user : user.substr(colon + 1);
      const bool hidden = colon == kNone ? secret.size() >= kLongUser : !secret.empty();
      if (!hidden || is_value_reference(secret)) continue;
      add(begin, begin + sign, "", "a URL with a password");
    }
  }

  std::vector<CommandSecret> merged() {
    std::ranges::sort(found_, [](const CommandSecret& a, const CommandSecret& b) {
      return std::tie(a.begin, a.end, a.name, a.what) < std::tie(b.begin, b.end, b.name, b.what);
    });
    std::vector<CommandSecret> merged;
    for (const CommandSecret& secret : found_) {
      if (merged.empty() || secret.begin >= merged.back().end) {
        merged.push_back(secret);
        continue;
      }
      CommandSecret& last = merged.back();
      last.end = std::max(last.end, secret.end);
      if (last.name.empty()) last.name = secret.name;
      if (last.what == kSecretByName) last.what = secret.what;
    }
    return merged;
  }

  std::string_view text_;
  bool declares_;
  bool is_pair_;  // the whole text is NAME=value
  std::vector<CommandSecret> found_;
};

}  // namespace

std::vector<CommandSecret> find_command_secrets(std::string_view text) {
  return CommandSearch(text.substr(0, kMaxCommandBytes)).run();
}

std::string without_command_secrets(std::string_view text) {
  text = text.substr(0, kMaxCommandBytes);
  std::string shown;
  std::size_t at = 0;
  for (const CommandSecret& secret : find_command_secrets(text)) {
    shown += text.substr(at, secret.begin - at);
    shown += "***";
    at = secret.end;
  }
  return shown += text.substr(at);
}

}  // namespace plimsoll::policy
