// Base64 (RFC 4648 4 and 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::webhook::net {

// Both alphabets, padded or not; nothing where it is not base64.
std::optional<std::string> decode_base64(std::string_view text);
// The standard alphabet, padded.
std::string encode_base64(std::string_view bytes);

}  // namespace plimsoll::webhook::net
