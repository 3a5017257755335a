#include "webhook/telemetry/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "webhook/telemetry/json_text.h"

namespace plimsoll::webhook::telemetry {
namespace {

constexpr std::size_t kQueueLines = 2048;
constexpr std::array<std::string_view, 4> kWords = {"debug", "info", "warn", "error"};

std::string_view word_of(LogLevel level) {
  return kWords[static_cast<std::size_t>(level)];
}

void append_time(std::string& line) {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
  fmt::format_to(
      std::back_inserter(line), "{{\"time\":\"{:%FT%T}.{:03}Z\"", fmt::gmtime(time), millis);
}

void append_field(std::string& line, const LogField& field) {
  line += ',';
  append_json_string(line, field.key);
  line += ':';
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(line, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    line += std::to_string(*number);
  } else {
    line += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

std::optional<LogLevel> log_level_of(std::string_view word) {
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kWords.begin());
}

class Log::Impl {
 public:
  explicit Impl(LogLevel least)
      : level(least),
        pool(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        logger(std::make_shared<spdlog::async_logger>(
            "plimsoll",
            std::make_shared<spdlog::sinks::stdout_sink_mt>(),
            pool,
            spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  // The last lines are written, and the thread has ended, before anything that it uses goes.
  ~Impl() { pool.reset(); }

  void write(LogLevel at,
             std::string_view event,
             std::span<const LogField> fields,
             std::uint64_t left_out) const {
    std::string line;
    append_time(line);
    append_field(line, {"level", word_of(at)});
    append_field(line, {"event", event});
    for (const LogField& field : fields) append_field(line, field);
    if (left_out > 0) append_field(line, {"suppressed", static_cast<std::int64_t>(left_out)});
    line += '}';
    logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  // Takes a token; false where none is left. `left_out` are the lines refused since the last one.
  bool take_token(std::uint64_t& left_out) {
    const std::scoped_lock lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    const double elapsed = std::chrono::duration<double>(now - refilled).count();
    refilled = now;
    tokens = std::min(kBurst, tokens + elapsed * kLinesPerSecond);
    if (tokens < 1) {
      ++pending;
      ++suppressed;
      return false;
    }
    tokens -= 1;
    left_out = pending;
    pending = 0;
    return true;
  }

  LogLevel level;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  std::mutex mutex;
  double tokens = kBurst;
  std::chrono::steady_clock::time_point refilled = std::chrono::steady_clock::now();
  std::uint64_t pending = 0;
  std::atomic<std::uint64_t> suppressed = 0;
};

Log::Log(LogLevel level) : impl_(std::make_unique<Impl>(level)) {}
Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < impl_->level) return;
  impl_->write(level, event, {fields.begin(), fields.size()}, 0);
}

void Log::write_limited(LogLevel level,
                        std::string_view event,
                        std::initializer_list<LogField> fields) {
  std::uint64_t left_out = 0;
  if (level < impl_->level || !impl_->take_token(left_out)) return;
  impl_->write(level, event, {fields.begin(), fields.size()}, left_out);
}

std::uint64_t Log::dropped() const {
  return impl_->pool->overrun_counter();
}
std::uint64_t Log::suppressed() const {
  return impl_->suppressed;
}

}  // namespace plimsoll::webhook::telemetry
