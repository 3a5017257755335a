#include "policy/command_words.h"

#include <algorithm>
#include <array>

#include "policy/command_value.h"
#include "policy/rules/secret_shape.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kBetweenWords = " \t\r\n\"'`;|&()<>{}[],";
constexpr std::string_view kBetweenCommands = ";|&(\n";
constexpr std::size_t kNone = std::string_view::npos;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != kNone;
}

// Commands whose -p is a password; that of mkdir, cp, tar and many others is none.
bool has_password_option(std::string_view command) {
  constexpr std::array<std::string_view, 14> kCommands = {"docker",
                                                          "podman",
                                                          "buildah",
                                                          "skopeo",
                                                          "crane",
                                                          "helm",
                                                          "oc",
                                                          "sshpass",
                                                          "mysql",
                                                          "mysqladmin",
                                                          "mysqldump",
                                                          "az",
                                                          "useradd",
                                                          "usermod"};
  return std::ranges::find(kCommands, command) != kCommands.end();
}

// --disabled-password and --password-stdin take no secret.
bool is_about_secrets(std::string_view option) {
  return option.starts_with("--no-") || option.starts_with("--disable") ||
         option.starts_with("--allow-") || option.starts_with("--with") ||
         option.ends_with("-stdin");
}

std::string_view without_directory(std::string_view command) {
  return command.substr(command.rfind('/') + 1);
}

class WordSearch {
 public:
  WordSearch(std::string_view text, std::vector<CommandSecret>& found)
      : text_(text),
        found_(found),
        declares_(text.starts_with("ENV ") || text.starts_with("LABEL ")),
        pipes_password_(has(text, "chpasswd") || has(text, "passwd --stdin") ||
                        has(text, "password-stdin")),
        logs_in_(has(text, "login ")) {}

  void run() {
    while (at_ < text_.size()) {
      if (kBetweenWords.find(text_[at_]) == kNone) {
        look_at_word();
        continue;
      }
      if (kBetweenCommands.find(text_[at_]) != kNone) command_ = previous_ = before_ = {};
      ++at_;
    }
  }

 private:
  void add(std::size_t begin, std::size_t end, std::string_view name, std::string_view what) {
    if (begin < end) found_.push_back({begin, end, name, what});
  }

  void look_at_word() {
    const std::size_t end = std::min(text_.find_first_of(kBetweenWords, at_), text_.size());
    word_ = text_.substr(at_, end - at_);
    ++number_;
    if (pipes_password_ && (command_ == "echo" || command_ == "printf")) {
      if (!word_.starts_with('-') && !is_value_reference(word_)) add(at_, end, "", kUserSecret);
    } else {
      look_at_shape();
      look_at_user();
      look_at_password();
      look_at_setting();
    }
    const bool assigns = has(word_, "=") && !word_.starts_with('-');
    const bool is_command = !assigns && word_ != "RUN" && word_ != "sudo" && word_ != "exec";
    if (command_.empty() && is_command) command_ = without_directory(word_);
    before_ = previous_;
    previous_ = word_;
    at_ = end;
  }

  void look_at_shape() {
    const std::size_t end = at_ + word_.size();
    constexpr std::size_t kShortestBearer = 10;
    if (equals_ignoring_case(previous_, "bearer") && word_.size() >= kShortestBearer &&
        !is_value_reference(word_)) {
      add(at_, end, "", kHeaderSecret);
    }
    const std::string_view shape = rules::secret_shape(word_);
    if (shape.empty() || shape == "a URL with a password") return;  // that one is found elsewhere
    std::size_t begin = 0;
    if (shape == "a URL with a secret in its query") {
      begin = word_.find('?') + 1;
    } else if (has(word_, "://")) {
      begin = word_.find("://") + 3;
    } else if (const std::size_t equal = word_.find('=');
               equal != kNone && !rules::secret_shape(word_.substr(equal + 1)).empty()) {
      begin = equal + 1;
    }
    add(at_ + begin, end, "", shape);
  }

  void look_at_user() {
    constexpr std::array<std::string_view, 5> kOptions = {
        "-u", "-U", "--user", "--proxy-user", "--creds"};
    for (const std::string_view option : kOptions) {
      if (previous_ == option) add_user(0, option);
      const bool joined = word_.size() > option.size() && word_.starts_with(option);
      if (!joined) continue;
      if (word_[option.size()] == '=') {
        add_user(option.size() + 1, option);
      } else if (option == "-u" && !has(word_, "://")) {
        add_user(option.size(), option);
      }
    }
  }

  // user:password from `offset` of the word, but not 1000:1000.
  void add_user(std::size_t offset, std::string_view option) {
    const std::string_view user = word_.substr(offset);
    const std::size_t colon = user.find(':');
    if (colon == kNone || colon + 1 == user.size()) return;
    const bool identifiers = user.find_first_not_of("0123456789:") == kNone && colon > 0;
    if (identifiers || is_value_reference(user.substr(colon + 1))) return;
    add(at_ + offset, at_ + word_.size(), option, kUserSecret);
  }

  void look_at_password() {
    if (!has_password_option(command_)) return;
    const std::size_t end = at_ + word_.size();
    if (previous_ == "-p" && !word_.starts_with('-') && !is_value_reference(word_)) {
      add(at_, end, previous_, kSecretByName);
    }
    const bool joined = word_.starts_with("-p") && word_.size() > 2 &&
                        (command_.starts_with("mysql") || command_ == "sshpass");
    if (joined && !is_value_reference(word_.substr(2))) add(at_ + 2, end, "-p", kSecretByName);
  }

  // The word before announces a secret: "--password VALUE", "config set TOKEN VALUE", "ENV TOKEN
  // VALUE", "login NAME password VALUE" of a .netrc, "IDENTIFIED BY VALUE" of SQL.
  bool announced(std::string_view name) const {
    if (equals_ignoring_case(previous_, "by") && equals_ignoring_case(before_, "identified")) {
      return true;
    }
    if (equals_ignoring_case(previous_, "password") &&
        (logs_in_ || equals_ignoring_case(before_, "with"))) {
      return true;
    }
    if (name == "_auth" || name == "_authToken") return true;
    const bool option = previous_.starts_with("--") && !is_about_secrets(previous_) &&
                        !word_.starts_with("id=");  // --secret id=npm
    const bool set = before_ == "set" || before_ == "config" || before_ == "--global";
    return (option || set || (declares_ && number_ == 3)) && rules::is_secret_name(name);
  }

  void look_at_setting() {
    if (previous_.empty() || word_.starts_with('-')) return;
    if (has(previous_, "=") || is_value_reference(previous_)) return;
    const std::size_t colon = previous_.rfind(':');
    const std::string_view name =
        without_dashes(colon == kNone ? previous_ : previous_.substr(colon + 1));
    if (!announced(name) || !is_secret_value("password", word_)) return;
    const bool to_the_end = declares_ && number_ == 3;
    add(at_, to_the_end ? text_.size() : at_ + word_.size(), name, secret_kind(word_));
  }

  std::string_view text_;
  std::vector<CommandSecret>& found_;
  bool declares_;
  bool pipes_password_;
  bool logs_in_;
  std::size_t at_ = 0;
  std::size_t number_ = 0;  // of the word, from 1
  std::string_view word_;
  std::string_view command_;
  std::string_view previous_;
  std::string_view before_;
};

}  // namespace

void find_secret_words(std::string_view text, std::vector<CommandSecret>& found) {
  WordSearch(text, found).run();
}

}  // namespace plimsoll::policy
