// JSON of strangers that a container runtime reads, too, with another parser: whatever the two
// could read in two ways is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/json.h"
#include "policy/unknown.h"

namespace plimsoll::webhook::registry {

inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 50'000;
inline constexpr std::size_t kMaxStringBytes = 64 * 1024;

// A parsed document; views live as long as it does.
class GuardedJson {
 public:
  // kInvalidContent: not JSON, or not an object; kTooLarge: too deep or too many values;
  // kAmbiguousJson: a key twice in one object.
  policy::Fact<policy::json::Object> parse(std::string_view bytes);

 private:
  policy::json::Parser parser_;
};

// The members of an object with known field names, as opposed to a map. Go's encoding/json matches
// field names without regard to case (and takes the long s and the Kelvin sign for s and k): a key
// that only such a match makes a field of is refused as kAmbiguousJson.
class Fields {
 public:
  static policy::Fact<Fields> of(const policy::json::Object& object,
                                 std::span<const std::string_view> names);

  // Nothing where it is absent or null.
  std::optional<policy::json::Element> find(std::string_view name) const;

  // The readers below: nothing found is an empty value, another type is kInvalidContent.
  policy::Fact<std::string> text(std::string_view name) const;
  policy::Fact<bool> flag(std::string_view name) const;
  // A whole number from 0 to 2^53, written as one.
  policy::Fact<std::uint64_t> size(std::string_view name) const;
  policy::Fact<std::vector<std::string>> texts(std::string_view name, std::size_t most) const;
  policy::Fact<std::vector<std::pair<std::string, std::string>>> map(std::string_view name,
                                                                     std::size_t most) const;
  policy::Fact<std::optional<policy::json::Object>> object(std::string_view name) const;
  policy::Fact<std::optional<policy::json::Array>> array(std::string_view name) const;

 private:
  explicit Fields(const policy::json::Object& object) : object_(object) {}
  policy::json::Object object_;
};

}  // namespace plimsoll::webhook::registry
