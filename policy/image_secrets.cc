#include "policy/image_secrets.h"

#include <algorithm>
#include <string_view>

#include "policy/command_secrets.h"
#include "policy/command_value.h"
#include "policy/image_history.h"
#include "policy/printable.h"
#include "policy/rules/secret_shape.h"

namespace plimsoll::policy {
namespace {

// What a pair gives away, by its value's shape or by its name; empty: nothing.
std::string_view secret_of(std::string_view name, std::string_view value) {
  const std::string_view shape = rules::secret_shape(value.substr(0, kMaxCommandBytes));
  if (!shape.empty()) return shape;
  return rules::is_secret_name(name) && is_secret_value(name, value) ? kSecretByName
                                                                     : std::string_view();
}

// The first word where it is an instruction that sets something.
std::string_view instruction_of(std::string_view plain) {
  for (const std::string_view word : {"ENV", "LABEL", "ARG"}) {
    if (plain.starts_with(word) && plain.substr(word.size()).starts_with(' ')) return word;
  }
  return {};
}

class SecretSearch {
 public:
  void pairs(std::string_view what, const KeyValues& values) {
    for (const auto& [key, value] : values) {
      const std::string_view secret = secret_of(key, value);
      if (!secret.empty()) add(std::string(what) + " " + printable(key), secret, key);
    }
  }

  void history(std::size_t number, std::string_view created_by) {
    const std::string place = "history " + std::to_string(number);
    command(place, "ARG", build_arguments(created_by));
    const std::string plain = plain_instruction(created_by);
    command(place, instruction_of(plain), plain);
  }

  void command(const std::string& place, std::string_view instruction, std::string_view text) {
    for (const CommandSecret& secret : find_command_secrets(text)) {
      const std::string name = printable(secret.name);
      const bool set = instruction == "ENV" || instruction == "LABEL";
      const bool told = set && std::ranges::find(found_, name, &BakedSecret::name) != found_.end();
      if (told) continue;
      std::string where = place;
      if (!instruction.empty() || !name.empty()) {
        where += " (";
        where += instruction;
        if (!instruction.empty() && !name.empty()) where += ' ';
        where += name;
        where += ')';
      }
      add(std::move(where), secret.what, secret.name);
    }
  }

  std::vector<BakedSecret> take() { return std::move(found_); }

 private:
  void add(std::string place, std::string_view what, std::string_view name) {
    const bool told = std::ranges::find(found_, place, &BakedSecret::place) != found_.end();
    if (told || found_.size() == kMaxBakedSecrets) return;
    found_.push_back({std::move(place), std::string(what), printable(name)});
  }

  std::vector<BakedSecret> found_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

std::vector<BakedSecret> find_baked_secrets(const ImageConfig& config) {
  SecretSearch search;
  search.pairs("env", config.env);
  search.pairs("label", config.labels);
  for (std::size_t i = 0; i < config.history.size(); ++i) {
    search.history(i + 1, config.history[i].created_by);
  }
  search.command("entrypoint", "", joined(config.entrypoint));
  search.command("command", "", joined(config.command));
  return search.take();
}

}  // namespace plimsoll::policy
