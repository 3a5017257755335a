#include "policy/document_reader.h"

#include <algorithm>
#include <set>

#include "policy/pattern.h"
#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string unknown_key(std::string_view key, std::span<const Field> fields) {
  std::vector<std::string_view> known;
  for (const Field& field : fields) known.push_back(field.key);
  std::string message = "unknown key " + policy::quoted(key);
  const std::string near = suggestion(key, known);
  return message + (near.empty() ? "; known here: " + joined(known) : near);
}

bool is_scalar_of_another_type(const json::Element& value) {
  return value.is_bool() || value.is_number();
}

}  // namespace

Node Node::member(std::string_view key, const json::Element& element) const {
  Node node{element, pointer};
  json::append_token(node.pointer, key);
  return node;
}

Node Node::entry(std::size_t index, const json::Element& element) const {
  return {element, pointer + "/" + std::to_string(index)};
}

void Problems::add(const Node& node, bool at_key, std::string message) {
  if (problems_.size() < kMaxProblems) {
    problems_.push_back({node.pointer, at_key, std::move(message)});
  } else {
    ++dropped_;
  }
}

void Problems::at_value(const Node& node, std::string message) {
  add(node, false, std::move(message));
}

void Problems::at_key(const Node& node, std::string message) {
  add(node, true, std::move(message));
}

void Problems::wrong_type(const Node& node, std::string_view wanted) {
  std::string message =
      "must be " + std::string(wanted) + ", not " + std::string(json::type_name(node.value));
  if (wanted == "a string" && is_scalar_of_another_type(node.value)) {
    message += "; put it in quotes";
  }
  add(node, false, std::move(message));
}

std::vector<Problem> Problems::take() {
  if (dropped_ > 0) {
    problems_.push_back({"", false, "and " + std::to_string(dropped_) + " more problems"});
    dropped_ = 0;
  }
  return std::exchange(problems_, {});
}

void read_fields(const Node& node, std::span<const Field> fields, Problems& problems) {
  const auto object = json::as_object(node.value);
  if (!object) return problems.wrong_type(node, "an object");
  std::vector<bool> seen(fields.size(), false);
  for (const auto& [key, value] : *object) {
    const Node member = node.member(key.substr(0, kMaxTextBytes), value);
    std::size_t i = 0;
    while (i < fields.size() && fields[i].key != key) ++i;
    if (i == fields.size()) {
      problems.at_key(member, unknown_key(key, fields));
    } else if (seen[i]) {
      problems.at_key(member, "the key " + policy::quoted(key) + " is here twice; remove one");
    } else {
      seen[i] = true;
      fields[i].read(member);
    }
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].required && !seen[i]) {
      problems.at_value(node, "the key " + policy::quoted(fields[i].key) + " is missing");
    }
  }
}

void read_map(const Node& node,
              const std::function<void(std::string_view key, const Node&)>& read,
              Problems& problems) {
  const auto object = json::as_object(node.value);
  if (!object) return problems.wrong_type(node, "an object");
  std::set<std::string_view> seen;
  for (const auto& [key, value] : *object) {
    const Node member = node.member(key.substr(0, kMaxTextBytes), value);
    if (seen.size() == kMaxListEntries) {
      return problems.at_key(member,
                             "more than " + std::to_string(kMaxListEntries) + " keys; split it up");
    }
    if (key.empty() || key.size() > kMaxTextBytes) {
      problems.at_key(member, "a key must have 1 to " + std::to_string(kMaxTextBytes) + " bytes");
    } else if (!seen.insert(key).second) {
      problems.at_key(member, "the key " + policy::quoted(key) + " is here twice; remove one");
    } else {
      read(key, member);
    }
  }
}

void read_list(const Node& node, const std::function<void(const Node&)>& read, Problems& problems) {
  const auto list = json::as_array(node.value);
  if (!list) return problems.wrong_type(node, "a list");
  std::size_t index = 0;
  for (const json::Element element : *list) {
    const Node entry = node.entry(index, element);
    if (index++ == kMaxListEntries) {
      return problems.at_value(
          entry, "more than " + std::to_string(kMaxListEntries) + " entries; use patterns");
    }
    read(entry);
  }
}

std::optional<std::string> read_text(const Node& node, Emptiness empty, Problems& problems) {
  const auto text = json::as_text(node.value);
  if (!text) {
    problems.wrong_type(node, "a string");
  } else if (text->empty() && empty == Emptiness::kRefused) {
    problems.at_value(node, "must not be empty");
  } else if (text->size() > kMaxTextBytes) {
    problems.at_value(node, "longer than " + std::to_string(kMaxTextBytes) + " bytes");
  } else {
    return std::string(*text);
  }
  return std::nullopt;
}

std::vector<std::string> read_texts(const Node& node, Emptiness empty, Problems& problems) {
  std::vector<std::string> texts;
  const auto list = json::as_array(node.value);
  if (list && list->size() == 0 && empty == Emptiness::kRefused) {
    problems.at_value(node, "an empty list; name at least one, or leave the key out");
    return texts;
  }
  const auto read = [&texts, &problems](const Node& entry) {
    std::optional<std::string> text = read_text(entry, Emptiness::kRefused, problems);
    if (!text) return;
    if (std::ranges::find(texts, *text) != texts.end()) {
      problems.at_value(entry, policy::quoted(*text) + " is here twice; remove one");
    } else {
      texts.push_back(*std::move(text));
    }
  };
  read_list(node, read, problems);
  return texts;
}

std::optional<std::size_t> read_word(const Node& node,
                                     std::span<const std::string_view> words,
                                     std::optional<std::size_t> off_at,
                                     Problems& problems) {
  if (const auto flag = json::as_flag(node.value)) {
    if (!*flag && off_at) return off_at;
    problems.at_value(node,
                      "must be " + choices_text(words) + ", not " + (*flag ? "true" : "false") +
                          (*flag ? " (YAML reads a plain on or yes as true)" : ""));
    return std::nullopt;
  }
  const auto text = json::as_text(node.value);
  if (!text) {
    problems.wrong_type(node, choices_text(words));
    return std::nullopt;
  }
  const auto at = std::ranges::find(words, *text);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  const std::string near = suggestion(*text, words);
  problems.at_value(node,
                    "must be " + choices_text(words) + ", not " + policy::quoted(*text) + near);
  return std::nullopt;
}

std::string choices_text(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += policy::quoted(words[i]);
  }
  return text;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > kNameRunes) return {};
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? std::string() : "; did you mean " + policy::quoted(near) + "?";
}

}  // namespace plimsoll::policy
