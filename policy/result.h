// The outcome of a step that may fail in an expected way.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace plimsoll::policy {

enum class ErrorKind : std::uint8_t {
  kInvalidInput,
  kNotFound,
  kUnauthorized,
  kTimeout,
  kUnavailable,
  kTooLarge,
  kCancelled,
  kInternal,
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace plimsoll::policy
