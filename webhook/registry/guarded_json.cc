#include "webhook/registry/guarded_json.h"

#include <algorithm>
#include <utility>

#include "policy/ascii.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using policy::Fact;
using policy::Unknown;
using policy::UnknownReason;

constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 53U;

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail) {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

std::unexpected<Unknown> wrong_type(std::string_view name, std::string_view expected) {
  return refused(UnknownReason::kInvalidContent,
                 std::string(name) + " is not " + std::string(expected));
}

// Counts values and looks for repeated keys. The parser has limited the depth.
class Inspection {
 public:
  bool fine(const json::Element& element) {
    if (++values_ > kMaxJsonValues)
      return fail(UnknownReason::kTooLarge, "more than 50,000 values");
    if (const auto object = json::as_object(element)) return fine(*object);
    if (const auto array = json::as_array(element)) {
      for (const json::Element entry : *array) {
        if (!fine(entry)) return false;
      }
    }
    const auto text = json::as_text(element);
    const bool long_text = text && text->size() > kMaxStringBytes;
    return !long_text || fail(UnknownReason::kTooLarge, "a text of more than 64 KiB");
  }
  Unknown why() const { return why_; }

 private:
  bool fine(const json::Object& object) {
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : object) {
      keys.push_back(key);
      if (keys.size() > kMaxJsonValues) break;
    }
    std::ranges::sort(keys);
    if (std::ranges::adjacent_find(keys) != keys.end()) {
      return fail(UnknownReason::kAmbiguousJson, "a key stands twice in one object");
    }
    for (const auto& [key, value] : object) {
      if (!fine(value)) return false;
    }
    return true;
  }
  bool fail(UnknownReason reason, std::string detail) {
    why_ = {reason, std::move(detail)};
    return false;
  }

  std::size_t values_ = 0;
  Unknown why_;
};

// As Go folds: ASCII, and the two characters beyond it that fold into ASCII letters.
std::string folded(std::string_view key) {
  constexpr std::string_view kLongS = "\u017f";
  constexpr std::string_view kKelvin = "\u212a";
  std::string text;
  for (std::size_t i = 0; i < key.size();) {
    const std::string_view rest = key.substr(i);
    if (rest.starts_with(kLongS)) {
      text += 's';
      i += kLongS.size();
    } else if (rest.starts_with(kKelvin)) {
      text += 'k';
      i += kKelvin.size();
    } else {
      text += policy::to_lower(key[i++]);
    }
  }
  return text;
}

}  // namespace

Fact<json::Object> GuardedJson::parse(std::string_view bytes) {
  json::Element root;
  const simdjson::padded_string text(bytes);
  auto error = parser_.allocate(std::max<std::size_t>(bytes.size(), 1), kMaxJsonDepth);
  if (error == simdjson::SUCCESS) error = parser_.parse(text).get(root);
  if (error == simdjson::DEPTH_ERROR) {
    return refused(UnknownReason::kTooLarge, "nested deeper than 32 levels");
  }
  if (error != simdjson::SUCCESS) return refused(UnknownReason::kInvalidContent, "it is no JSON");
  const auto object = json::as_object(root);
  if (!object) return refused(UnknownReason::kInvalidContent, "it is no JSON object");
  Inspection inspection;
  if (!inspection.fine(root)) return std::unexpected(inspection.why());
  return *object;
}

Fact<Fields> Fields::of(const json::Object& object, std::span<const std::string_view> names) {
  for (const auto& [key, value] : object) {
    if (std::ranges::find(names, key) != names.end()) continue;
    const std::string fold = folded(key);
    for (const std::string_view name : names) {
      if (folded(name) != fold) continue;
      return refused(UnknownReason::kAmbiguousJson,
                     "a key that is " + std::string(name) + " but for the case of its letters");
    }
  }
  return Fields(object);
}

std::optional<json::Element> Fields::find(std::string_view name) const {
  const auto found = json::last_member(object_, name);
  if (!found || found->is_null()) return std::nullopt;
  return found;
}

Fact<std::string> Fields::text(std::string_view name) const {
  const auto element = find(name);
  if (!element) return std::string();
  const auto value = json::as_text(*element);
  if (!value) return wrong_type(name, "a text");
  return std::string(*value);
}

Fact<bool> Fields::flag(std::string_view name) const {
  const auto element = find(name);
  if (!element) return false;
  const auto value = json::as_flag(*element);
  if (!value) return wrong_type(name, "true or false");
  return *value;
}

Fact<std::uint64_t> Fields::size(std::string_view name) const {
  const auto element = find(name);
  if (!element) return refused(UnknownReason::kInvalidContent, std::string(name) + " is missing");
  std::uint64_t value = 0;
  const bool whole = element->is_int64() || element->is_uint64();
  if (!whole || element->get_uint64().get(value) != simdjson::SUCCESS || value > kMaxSize) {
    return wrong_type(name, "a size");
  }
  return value;
}

Fact<std::optional<json::Object>> Fields::object(std::string_view name) const {
  const auto element = find(name);
  if (!element) return std::nullopt;
  auto value = json::as_object(*element);
  if (!value) return wrong_type(name, "an object");
  return value;
}

Fact<std::optional<json::Array>> Fields::array(std::string_view name) const {
  const auto element = find(name);
  if (!element) return std::nullopt;
  auto value = json::as_array(*element);
  if (!value) return wrong_type(name, "a list");
  return value;
}

Fact<std::vector<std::string>> Fields::texts(std::string_view name, std::size_t most) const {
  const auto list = array(name);
  if (!list) return std::unexpected(list.error());
  std::vector<std::string> texts;
  if (!*list) return texts;
  for (const json::Element entry : **list) {
    const auto text = json::as_text(entry);
    if (!text) return wrong_type(name, "a list of texts");
    if (texts.size() == most) {
      return refused(UnknownReason::kTooLarge, std::string(name) + " is too long");
    }
    texts.emplace_back(*text);
  }
  return texts;
}

Fact<std::vector<std::pair<std::string, std::string>>> Fields::map(std::string_view name,
                                                                   std::size_t most) const {
  const auto members = object(name);
  if (!members) return std::unexpected(members.error());
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!*members) return pairs;
  for (const auto& [key, value] : **members) {
    const auto text = json::as_text(value);
    if (!text) return wrong_type(name, "a map of texts");
    if (pairs.size() == most) {
      return refused(UnknownReason::kTooLarge, std::string(name) + " is too large");
    }
    pairs.emplace_back(key, *text);
  }
  return pairs;
}

}  // namespace plimsoll::webhook::registry
