// What the readers of a workload share: where they are, what they note, and what they may still
// use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policy/arena.h"
#include "policy/json.h"
#include "policy/workload.h"
#include "policy/workload_reader.h"

namespace plimsoll::policy {

// A place in the document as a chain on the stack; becomes a JSON pointer only where it is needed.
struct Place {
  const Place* parent = nullptr;
  std::string_view text;    // a JSON pointer fragment ("/spec/template") or, with is_key, one key
  std::uint32_t index = 0;  // of an element, where text is empty
  bool is_key = false;

  static Place at(std::string_view fragment) { return {nullptr, fragment, 0, false}; }
  Place key(std::string_view name) const { return {this, name, 0, true}; }
  Place element(std::uint32_t i) const { return {this, {}, i, false}; }
};

// One reading of one object. A null counts as absent everywhere.
class Reading {
 public:
  explicit Reading(Arena& arena) : arena_(arena) {}

  std::string_view text(const Place& place, const json::Element& element);
  std::optional<std::int64_t> integer(const Place& place, const json::Element& element);
  std::optional<bool> flag(const Place& place, const json::Element& element);
  std::optional<json::Object> object(const Place& place,
                                     const json::Element& element,
                                     std::string_view expected);
  std::optional<json::Array> array(const Place& place,
                                   const json::Element& element,
                                   std::string_view expected);
  std::span<const Label> labels(const Place& place, const json::Element& element);

  // Notes a field of the wrong type; the notes after kMaxMalformed are dropped.
  void note(const Place& place, std::string_view expected);

  // Room for `count` entries; an empty span, and too_many() from then on, where that is too many.
  template <class T>
  std::span<T> entries(std::size_t count) {
    entries_ += count;
    if (entries_ > kMaxEntries) return {};
    return arena_.make_array<T>(count);
  }
  bool too_many() const { return entries_ > kMaxEntries; }

  Arena& arena() { return arena_; }
  std::span<const Malformed> notes();

 private:
  Arena& arena_;
  std::array<Malformed, kMaxMalformed> notes_;
  std::size_t note_count_ = 0;
  std::size_t entries_ = 0;
};

// Fills `container` from one element of a container list.
void read_container(Reading& reading,
                    const Place& place,
                    const json::Object& object,
                    Container& container);

}  // namespace plimsoll::policy
