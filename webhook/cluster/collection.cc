#include "webhook/cluster/collection.h"

#include <utility>

#include <fmt/format.h>

#include "webhook/net/url.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;

constexpr std::string_view kMetadataList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

struct Page {
  std::string resource_version;
  std::string next;  // the continue token; empty: it was the last
};

ApiError unreadable(const Collection& collection, std::string_view why) {
  ApiError error;
  error.message = fmt::format("the list of {} {}", collection.what, why);
  return error;
}

std::expected<Page, ApiError> read_page(const Collection& collection,
                                        const std::string& body,
                                        const ItemSink& sink) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
    return std::unexpected(unreadable(collection, "is not JSON"));
  }
  const auto object = json::as_object(root);
  const auto items = object ? json::last_member(*object, "items") : std::nullopt;
  if (!items) return std::unexpected(unreadable(collection, "is no list"));
  Page page;
  page.resource_version = text_at(*object, "metadata", "resourceVersion");
  page.next = text_at(*object, "metadata", "continue");
  if (page.resource_version.empty()) {
    return std::unexpected(unreadable(collection, "has no resourceVersion"));
  }
  if (items->is_null()) return page;
  const auto array = json::as_array(*items);
  if (!array) return std::unexpected(unreadable(collection, "is no list"));
  for (const json::Element element : *array) {
    if (const auto item = json::as_object(element)) sink(*item);
  }
  return page;
}

}  // namespace

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
  for (unsigned page_number = 0; page_number < kMaxPages; ++page_number) {
    const std::string limit = fmt::format("limit={}", kPageItems);
    const std::string from = next.empty() ? "" : "continue=" + net::percent_encoded(next);
    ApiRequest request;
    request.path = collection.path + joined_query({collection.query, limit, from});
    request.body_limit = kMaxPageBytes;
    request.time = kPageTime;
    if (collection.metadata_only) request.accept = kMetadataList;
    const ApiResult answer = co_await api.call(std::move(request));
    if (!answer) co_return std::unexpected(answer.error());
    const auto page = read_page(collection, answer->body, sink);
    if (!page) co_return std::unexpected(page.error());
    if (page->next.empty()) co_return page->resource_version;
    if (page->next == next) co_return std::unexpected(unreadable(collection, "never ends"));
    next = page->next;
  }
  co_return std::unexpected(unreadable(collection, "never ends"));
}

}  // namespace plimsoll::webhook::cluster
