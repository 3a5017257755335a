#include "webhook/cluster/event_stream.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "webhook/cluster/backoff.h"
#include "webhook/cluster/partial_object.h"
#include "webhook/cluster/raw_json.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;

constexpr std::string_view kMetadata =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
constexpr std::size_t kKeptLineBytes = 256 * 1024;
constexpr std::chrono::seconds kGrace{30};  // after which a watch that should have ended is cut

}  // namespace

bool EventLines::broken(std::string why) {
  ApiError error;
  error.message = "the watch sent " + std::move(why);
  error_ = std::move(error);
  return false;
}

bool EventLines::event(std::string_view type,
                       const json::Object& object,
                       const std::string& trouble) {
  if (type == "ERROR") {
    error_ = error_of(object);
    return false;
  }
  const std::string_view version = text_at(object, "metadata", "resourceVersion");
  if (version.empty()) return broken("an object without a resourceVersion");
  ++events_;
  if (type == "ADDED" || type == "MODIFIED") {
    sink_(EventType::kPut, object, trouble);
  } else if (type == "DELETED") {
    sink_(EventType::kRemoved, object, trouble);
  } else if (type != "BOOKMARK") {
    return broken("an event of an unknown type");
  }
  resource_version_ = version;
  return true;
}

// Asked for again it would be the same: what can be read of it is handed on.
bool EventLines::partial_event(std::string_view text) {
  const auto partial = read_partly(raw_member(text, "object"));
  if (!partial) return broken("a line that is no JSON object");
  std::string_view type = raw_member(text, "type");
  if (type.size() < 2 || !type.starts_with('"')) return broken("something that is no event");
  type = type.substr(1, type.size() - 2);
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(partial->text);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  return object ? event(type, *object, partial->trouble) : broken("something that is no event");
}

bool EventLines::line(std::string_view text) {
  if (text.find_first_not_of(" \r\t") == std::string_view::npos) return true;
  json::Parser parser;
  json::Element element;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(element) != simdjson::SUCCESS) return partial_event(text);
  const auto root = json::as_object(element);
  if (!root) return broken("a line that is no JSON object");
  const auto member = json::last_member(*root, "object");
  const auto object = member ? json::as_object(*member) : std::nullopt;
  return object ? event(text_at(*root, "type"), *object, "") : broken("something that is no event");
}

bool EventLines::add(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (rest_.size() + part.size() > kMaxEventBytes) {
      return broken(fmt::format("an event of more than {} bytes", kMaxEventBytes));
    }
    if (end == std::string_view::npos) {
      rest_ += part;
      return true;
    }
    bool fine = false;
    if (rest_.empty()) {
      fine = line(part);
    } else {
      rest_ += part;
      fine = line(rest_);
      rest_.clear();
      if (rest_.capacity() > kKeptLineBytes) std::string().swap(rest_);
    }
    if (!fine) return false;
    piece.remove_prefix(end + 1);
  }
  return true;
}

void EventLines::end() {
  if (!error_ && rest_.find_first_not_of(" \r\t") != std::string::npos) broken("half an event");
}

asio::awaitable<std::expected<void, ApiError>> watch(Api& api,
                                                     Collection collection,
                                                     WatchTimes times,
                                                     std::string& resource_version,
                                                     std::function<void()> opened,
                                                     EventSink sink) {
  const auto time =
      std::chrono::duration_cast<std::chrono::seconds>(random_time(times.shortest, times.longest));
  EventLines lines(resource_version, std::move(sink));
  const std::string from = "resourceVersion=" + net::percent_encoded(resource_version);
  const std::string until = fmt::format("timeoutSeconds={}", time.count());
  const std::string_view rest = "watch=1&allowWatchBookmarks=true";
  ApiRequest request;
  request.path = collection.path + joined_query({collection.query, rest, from, until});
  if (collection.metadata_only) request.accept = kMetadata;
  request.sink = [&lines](std::string_view piece) { return lines.add(piece); };
  request.opened = std::move(opened);
  request.body_limit = std::numeric_limits<std::uint64_t>::max();
  request.time = time + kGrace;
  request.stall = times.silence;
  const ApiResult answer = co_await api.call(std::move(request));
  if (answer) lines.end();
  if (lines.error()) co_return std::unexpected(*lines.error());
  if (!answer) co_return std::unexpected(answer.error());
  co_return std::expected<void, ApiError>();
}

}  // namespace plimsoll::webhook::cluster
