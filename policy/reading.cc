#include "policy/reading.h"

#include <string>

namespace plimsoll::policy {
namespace {

void append_place(std::string& pointer, const Place& place) {
  if (place.parent != nullptr) append_place(pointer, *place.parent);  // as deep as our own structs
  if (place.is_key) {
    json::append_token(pointer, place.text);
  } else if (place.parent == nullptr) {
    pointer += place.text;
  } else {
    pointer += '/';
    pointer += std::to_string(place.index);
  }
}

}  // namespace

void Reading::note(const Place& place, std::string_view expected) {
  if (note_count_ == notes_.size()) return;
  std::string pointer;
  append_place(pointer, place);
  notes_[note_count_++] = {arena_.keep(pointer), expected};
}

std::span<const Malformed> Reading::notes() {
  const std::span<Malformed> kept = arena_.make_array<Malformed>(note_count_);
  for (std::size_t i = 0; i < note_count_; ++i) kept[i] = notes_[i];
  return kept;
}

std::string_view Reading::text(const Place& place, const json::Element& element) {
  const std::optional<std::string_view> value = json::as_text(element);
  if (value) return *value;
  if (!element.is_null()) note(place, "a string");
  return {};
}

std::optional<std::int64_t> Reading::integer(const Place& place, const json::Element& element) {
  const std::optional<std::int64_t> value = json::as_integer(element);
  if (!value && !element.is_null()) note(place, "a whole number");
  return value;
}

std::optional<bool> Reading::flag(const Place& place, const json::Element& element) {
  const std::optional<bool> value = json::as_flag(element);
  if (!value && !element.is_null()) note(place, "true or false");
  return value;
}

std::optional<json::Object> Reading::object(const Place& place,
                                            const json::Element& element,
                                            std::string_view expected) {
  const std::optional<json::Object> value = json::as_object(element);
  if (!value && !element.is_null()) note(place, expected);
  return value;
}

std::optional<json::Array> Reading::array(const Place& place,
                                          const json::Element& element,
                                          std::string_view expected) {
  const std::optional<json::Array> value = json::as_array(element);
  if (!value && !element.is_null()) note(place, expected);
  return value;
}

std::span<const Label> Reading::labels(const Place& place, const json::Element& element) {
  const std::optional<json::Object> map = object(place, element, "a map of strings");
  if (!map) return {};
  const std::span<Label> labels = entries<Label>(map->size());
  std::size_t count = 0;
  for (const auto& [key, value] : *map) {
    if (count == labels.size()) break;
    labels[count++] = {key, text(place.key(key), value)};
  }
  return labels.first(count);
}

}  // namespace plimsoll::policy
