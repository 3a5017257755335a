// The log: one JSON object a line on standard output, written by a thread of its own.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace plimsoll::webhook::telemetry {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn" or "error".
std::optional<LogLevel> log_level_of(std::string_view word);

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, bool> value;
};

// Nobody waits for a slow reader: the queue is bounded, the oldest lines give way, and how many did
// is counted. Safe to use from any thread.
class Log {
 public:
  explicit Log(LogLevel level);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  // {"time":"...","level":"info","event":"listening",...}; the values are escaped, not judged:
  // callers pass no secrets and no content of objects.
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

  // The same for lines that a client can cause: at most kLinesPerSecond, with room for a burst;
  // those left out are counted in the next line's field "suppressed".
  void write_limited(LogLevel level,
                     std::string_view event,
                     std::initializer_list<LogField> fields);

  static constexpr double kLinesPerSecond = 20;
  static constexpr double kBurst = 100;

  std::uint64_t dropped() const;     // lines that gave way
  std::uint64_t suppressed() const;  // lines that the limit left out

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plimsoll::webhook::telemetry
