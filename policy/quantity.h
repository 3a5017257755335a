// Kubernetes quantities (k8s.io/apimachinery/pkg/api/resource): "100m", "1.5Gi", "2e3".
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::policy {

__extension__ using Int128 = __int128;

// Exact, in billionths of the unit (cores, bytes). Finer values are rounded up, as Kubernetes does.
struct Quantity {
  Int128 nano = 0;
  friend auto operator<=>(const Quantity&, const Quantity&) = default;
};

// Nothing for what Kubernetes refuses, and for what is beyond +-2^63 units.
std::optional<Quantity> parse_quantity(std::string_view text);

// "1536Mi", "250m", "3": the shortest exact form.
std::string to_text(Quantity quantity);

// a / b as a decimal with at most two digits after the point ("2.5"); b must not be 0.
std::string ratio_text(Quantity a, Quantity b);

// True if a > factor * b, exactly.
bool exceeds_ratio(Quantity a, Quantity b, Quantity factor);

}  // namespace plimsoll::policy
