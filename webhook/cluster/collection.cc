#include "webhook/cluster/collection.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "webhook/cluster/partial_object.h"
#include "webhook/cluster/raw_json.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;

constexpr std::string_view kMetadataList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

ApiError unreadable(const Collection& collection, std::string_view why) {
  ApiError error;
  error.message = fmt::format("the list of {} {}", collection.what, why);
  return error;
}

// False: not even its name can be read.
bool read_item(json::Parser& parser, std::string_view text, const ItemSink& sink) {
  json::Element root;
  const auto error = parser.parse(text.data(), text.size(), false).get(root);
  if (error == simdjson::SUCCESS) {
    if (const auto item = json::as_object(root)) sink(*item, "");
    return true;
  }
  const auto partial = read_partly(text);
  if (!partial) return false;
  const simdjson::padded_string padded(partial->text);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return false;
  if (const auto item = json::as_object(root)) sink(*item, partial->trouble);
  return true;
}

// What a page without items says of itself.
Page read_head(std::string_view metadata) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(metadata);
  Page page;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return page;
  if (const auto fields = json::as_object(root)) {
    page.resource_version = text_at(*fields, "resourceVersion");
    page.next = text_at(*fields, "continue");
  }
  return page;
}

constexpr std::string_view kTooLong = "has an object of more than 16 MiB";

struct PageBody {
  std::string text;
  bool too_long = false;

  bool add(std::string_view piece) {
    too_long = text.size() + piece.size() > kMaxPageBytes;
    if (!too_long) text += piece;
    return !too_long;
  }
};

ApiRequest request_of(const Collection& collection,
                      unsigned items,
                      const std::string& next,
                      PageBody& body) {
  const std::string limit = fmt::format("limit={}", items);
  const std::string from = next.empty() ? "" : "continue=" + net::percent_encoded(next);
  ApiRequest request;
  request.path = collection.path + joined_query({collection.query, limit, from});
  request.sink = [&body](std::string_view piece) { return body.add(piece); };
  request.opened = [&body] { body = {}; };  // it may be asked more than once
  request.body_limit = std::numeric_limits<std::uint64_t>::max();
  request.time = kPageTime;
  if (collection.metadata_only) request.accept = kMetadataList;
  return request;
}

}  // namespace

std::expected<Page, ApiError> read_page(const Collection& collection,
                                        std::string body,
                                        const ItemSink& sink) {
  const std::size_t size = body.size();
  body.reserve(size + simdjson::SIMDJSON_PADDING);
  const std::string_view text(body.data(), size);
  std::string_view items;
  Page page;
  RawParts members(text);
  RawPart member;
  while (members.next(member)) {
    if (member.key == "items") items = member.value;
    if (member.key == "metadata") page = read_head(member.value);
  }
  if (!members.complete()) return std::unexpected(unreadable(collection, "is not JSON"));
  if (items.empty()) return std::unexpected(unreadable(collection, "is no list"));
  if (page.resource_version.empty()) {
    return std::unexpected(unreadable(collection, "has no resourceVersion"));
  }
  if (items == "null") return page;
  RawParts elements(items);
  RawPart element;
  json::Parser parser;
  if (!elements.is_array()) return std::unexpected(unreadable(collection, "is no list"));
  while (elements.next(element)) {
    if (read_item(parser, element.value, sink)) continue;
    return std::unexpected(unreadable(collection, "holds something that cannot be read"));
  }
  if (!elements.complete()) return std::unexpected(unreadable(collection, "is not JSON"));
  return page;
}

unsigned next_page_items(unsigned items, std::size_t bytes) {
  if (bytes > kMaxPageBytes) return std::max(items / 2, 1U);
  return bytes > kSmallPageBytes ? items : std::min(items * 2, kPageItems);
}

std::string_view text_at(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return text.value_or(std::string_view());
}

std::string_view text_at(const json::Object& object, std::string_view outer, std::string_view key) {
  const auto member = json::last_member(object, outer);
  const auto inner = member ? json::as_object(*member) : std::nullopt;
  return inner ? text_at(*inner, key) : std::string_view();
}

std::string joined_query(std::initializer_list<std::string_view> parts) {
  std::string query;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += part;
  }
  return query;
}

asio::awaitable<std::expected<std::string, ApiError>> list(Api& api,
                                                           Collection collection,
                                                           ItemSink sink) {
  std::string next;
  unsigned items = collection.metadata_only ? kPageItems : kFirstPageItems;
  for (unsigned page_number = 0; page_number < kMaxPages; ++page_number) {
    PageBody body;
    ApiRequest request = request_of(collection, items, next, body);
    const ApiResult answer = co_await api.call(std::move(request));
    if (body.too_long) {
      if (items == 1) co_return std::unexpected(unreadable(collection, kTooLong));
      items = next_page_items(items, kMaxPageBytes + 1);
      continue;
    }
    if (!answer) co_return std::unexpected(answer.error());
    items = next_page_items(items, body.text.size());
    const auto page = read_page(collection, std::move(body.text), sink);
    if (!page) co_return std::unexpected(page.error());
    if (page->next.empty()) co_return page->resource_version;
    if (page->next == next) co_return std::unexpected(unreadable(collection, "never ends"));
    next = page->next;
  }
  co_return std::unexpected(unreadable(collection, "never ends"));
}

}  // namespace plimsoll::webhook::cluster
