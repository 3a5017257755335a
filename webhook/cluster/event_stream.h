// A watch: what changes, from a resourceVersion on, one line of JSON for each event.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "webhook/cluster/collection.h"

namespace plimsoll::webhook::cluster {

inline constexpr std::size_t kMaxEventBytes = 16u << 20U;

enum class EventType : std::uint8_t { kPut, kRemoved };
// What it gets lives until it returns. `trouble` says what of the object cannot be read, and is not
// in it: see PartialObject.
using EventSink = std::function<void(
    EventType type, const policy::json::Object& object, const std::string& trouble)>;

// Bytes in, events out, whatever pieces the bytes come in.
class EventLines {
 public:
  // `resource_version` moves on with each event and bookmark.
  EventLines(std::string& resource_version, EventSink sink)
      : resource_version_(resource_version), sink_(std::move(sink)) {}

  // False: the stream cannot be read any further, see error().
  bool add(std::string_view piece);
  // The stream has ended, in the middle of an event perhaps.
  void end();
  // Of an ERROR event, or of something that is no event; nothing: all was well so far.
  const std::optional<ApiError>& error() const { return error_; }
  std::uint64_t events() const { return events_; }

 private:
  bool line(std::string_view text);
  bool event(std::string_view type, const policy::json::Object& object, const std::string& trouble);
  bool partial_event(std::string_view text);
  bool broken(std::string why);

  std::string& resource_version_;
  EventSink sink_;
  std::string rest_;  // of a line that is not complete
  std::optional<ApiError> error_;
  std::uint64_t events_ = 0;
};

struct WatchTimes {
  std::chrono::seconds shortest{240};  // after which the server ends it; a random time between both
  std::chrono::seconds longest{300};
  std::chrono::milliseconds silence{90'000};  // cut after it; bookmarks come about each minute
  std::chrono::milliseconds missing{
      10'000};  // for so long, too, before a kind is taken for removed
};

// Ends when the server ends the watch (no error), or on failure. `opened` is called when the server
// has agreed to it. `resource_version` outlives it.
boost::asio::awaitable<std::expected<void, ApiError>> watch(Api& api,
                                                            Collection collection,
                                                            WatchTimes times,
                                                            std::string& resource_version,
                                                            std::function<void()> opened,
                                                            EventSink sink);

}  // namespace plimsoll::webhook::cluster
