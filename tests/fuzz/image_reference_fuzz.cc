// Any text as an image reference: what is accepted reads back as itself and matches its own
// pattern.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policy/image_reference.h"
#include "policy/printable.h"

namespace policy = plimsoll::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reference = policy::parse_image_reference(text);
  const std::string pattern = policy::normalised_image_pattern(text);
  if (policy::printable(text).size() > 4 * size + 16 + 10 * policy::kNameRunes) std::abort();
  if (!reference) {
    if (reference.error().empty()) std::abort();
    return 0;
  }
  policy::image_pattern_matches(pattern, *reference);
  const std::string once = reference->normalised();
  const auto again = policy::parse_image_reference(once);
  // The longest references grow beyond the limit by what is inserted.
  if (!again) return once.size() > policy::kMaxReferenceBytes ? 0 : (std::abort(), 0);
  if (again->normalised() != once) std::abort();
  if (again->host_key() != reference->host_key()) std::abort();
  return 0;
}
