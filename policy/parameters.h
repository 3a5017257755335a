// What a rule lets a policy set, declared once: documents are checked against it, documentation and
// schemas are made from it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/quantity.h"

namespace plimsoll::policy {

enum class ParameterKind : std::uint8_t {
  kFlag,              // bool
  kInteger,           // std::int64_t within [minimum, maximum]
  kText,              // std::string
  kChoice,            // std::string, one of `choices`
  kTextList,          // std::vector<std::string>
  kChoiceList,        // std::vector<std::string>, each one of `choices`
  kGlobList,          // std::vector<std::string>
  kImagePatternList,  // std::vector<std::string>, normalised when the policy is read
  kPlatformList,      // std::vector<std::string>, "linux/amd64"
  kQuantityMap,       // QuantityMap, name -> quantity
  kCount,             // std::optional<std::int64_t>, from 0; null: none
  kSize,              // OptionalQuantity, bytes, not negative; null: none
  kDecimal,           // OptionalQuantity, a plain number such as 0.09; null: none
  kDuration,          // std::optional<std::chrono::seconds>, "168h", "30d"; null: none
  kIgnoreList,        // std::vector<IgnoredId>
};

struct NamedQuantity {
  std::string name;
  std::string text;  // as written in the policy
  Quantity value;
};
using QuantityMap = std::vector<NamedQuantity>;

// A size as written, for messages, and as understood.
struct WrittenQuantity {
  std::string text;
  Quantity value;
};
using OptionalQuantity = std::optional<WrittenQuantity>;

// A vulnerability that a policy ignores for a while.
struct IgnoredId {
  std::string id;
  std::string reason;
  std::chrono::sys_days expires;  // the last day on which it is ignored, UTC
};

using ParameterValue = std::variant<bool,
                                    std::int64_t,
                                    std::string,
                                    std::vector<std::string>,
                                    QuantityMap,
                                    std::optional<std::int64_t>,
                                    OptionalQuantity,
                                    std::optional<std::chrono::seconds>,
                                    std::vector<IgnoredId>>;

struct Parameter {
  std::string_view name;
  ParameterKind kind = ParameterKind::kFlag;
  std::string_view default_json;  // read by the same code as a policy's own value
  std::string_view summary;       // one line of text
  std::span<const std::string_view> choices = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

// The values of one rule in one policy, in the order of the rule's declaration. Reading a parameter
// as another kind than declared is a bug and ends the program.
class Parameters {
 public:
  explicit Parameters(std::vector<ParameterValue> values = {}) : values_(std::move(values)) {}

  bool flag(std::size_t i) const { return get<bool>(i); }
  std::int64_t integer(std::size_t i) const { return get<std::int64_t>(i); }
  const std::string& text(std::size_t i) const { return get<std::string>(i); }
  const std::vector<std::string>& list(std::size_t i) const {
    return get<std::vector<std::string>>(i);
  }
  const QuantityMap& quantities(std::size_t i) const { return get<QuantityMap>(i); }
  std::optional<std::int64_t> count(std::size_t i) const {
    return get<std::optional<std::int64_t>>(i);
  }
  const OptionalQuantity& quantity(std::size_t i) const { return get<OptionalQuantity>(i); }
  std::optional<std::chrono::seconds> duration(std::size_t i) const {
    return get<std::optional<std::chrono::seconds>>(i);
  }
  const std::vector<IgnoredId>& ignored(std::size_t i) const {
    return get<std::vector<IgnoredId>>(i);
  }

 private:
  template <class T>
  const T& get(std::size_t i) const {
    const T* value = i < values_.size() ? std::get_if<T>(&values_[i]) : nullptr;
    if (value == nullptr) __builtin_trap();
    return *value;
  }

  std::vector<ParameterValue> values_;
};

}  // namespace plimsoll::policy
