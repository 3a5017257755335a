// What a rule lets a policy set, declared once: documents are checked against it, documentation and
// schemas are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
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
  kQuantityMap,       // QuantityMap, name -> quantity
};

struct NamedQuantity {
  std::string name;
  std::string text;  // as written in the policy
  Quantity value;
};
using QuantityMap = std::vector<NamedQuantity>;

using ParameterValue =
    std::variant<bool, std::int64_t, std::string, std::vector<std::string>, QuantityMap>;

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
