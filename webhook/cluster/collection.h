// Lists of objects, page by page: what is kept of them is the caller's business, so that memory
// does not grow with the list.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "policy/json.h"
#include "webhook/cluster/api.h"

namespace plimsoll::webhook::cluster {

inline constexpr unsigned kPageItems = 500;
inline constexpr unsigned kFirstPageItems =
    50;  // of whole objects: nobody knows how large they are
inline constexpr unsigned kMaxPages = 20'000;
inline constexpr std::size_t kMaxPageBytes = 16u << 20U;
inline constexpr std::size_t kSmallPageBytes = 1u << 20U;  // after it twice as many items are asked
inline constexpr std::chrono::seconds kPageTime{60};

// Objects of one kind, perhaps of one namespace or of one name.
struct Collection {
  std::string path;            // "/apis/plimsoll.dev/v1alpha1/hygienepolicies"
  std::string what;            // for messages: "policies"
  std::string query = {};      // "fieldSelector=metadata.name%3Dx"; empty: all
  bool metadata_only = false;  // of each object only its metadata is sent
  bool by_definition = false;  // a CustomResourceDefinition makes it, which may be removed
};

// Called for each object; what it gets lives until it returns. Items of lists have no kind.
// `trouble` says what of the item cannot be read, and is not in it: see PartialObject.
using ItemSink = std::function<void(const policy::json::Object& item, const std::string& trouble)>;

struct Page {
  std::string resource_version;
  std::string next;  // the continue token; empty: it was the last
};

// Each item by itself, so that one that cannot be read hides no other, and memory is that of the
// largest. An item that is no object is passed over.
std::expected<Page, ApiError> read_page(const Collection& collection,
                                        std::string body,
                                        const ItemSink& sink);

// How many items the next page may have, after one of `items` took so many bytes.
unsigned next_page_items(unsigned items, std::size_t bytes);

// From the server's own present state. Returns the list's resourceVersion. A page that is too long
// is asked for again with half the items.
boost::asio::awaitable<std::expected<std::string, ApiError>> list(Api& api,
                                                                  Collection collection,
                                                                  ItemSink sink);

// The text at one or two keys' depth; empty where it is not there.
std::string_view text_at(const policy::json::Object& object, std::string_view key);
std::string_view text_at(const policy::json::Object& object,
                         std::string_view outer,
                         std::string_view key);

// "kind=A&limit=5": joined with '&', empty parts left out.
std::string joined_query(std::initializer_list<std::string_view> parts);

}  // namespace plimsoll::webhook::cluster
