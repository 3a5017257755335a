#include "webhook/policy_sources/namespaces.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "webhook/net/url.h"

namespace plimsoll::webhook::policy_sources {
namespace {

namespace asio = boost::asio;
namespace json = policy::json;

std::optional<json::Object> labels_of(const json::Object& object) {
  const auto metadata = json::last_member(object, "metadata");
  const auto fields = metadata ? json::as_object(*metadata) : std::nullopt;
  const auto labels = fields ? json::last_member(*fields, "labels") : std::nullopt;
  return labels ? json::as_object(*labels) : std::nullopt;
}

}  // namespace

LabelSet::LabelSet(const json::Object& namespace_object) {
  const auto object = labels_of(namespace_object);
  if (!object) return;
  std::vector<std::pair<std::size_t, std::size_t>> sizes;
  for (const auto& [key, value] : *object) {
    const auto text = json::as_text(value);
    if (!text) continue;
    text_ += key;
    text_ += *text;
    sizes.emplace_back(key.size(), text->size());
  }
  text_.shrink_to_fit();
  labels_.reserve(sizes.size());
  std::string_view rest = text_;
  for (const auto& [key, value] : sizes) {
    labels_.push_back({rest.substr(0, key), rest.substr(key, value)});
    rest.remove_prefix(key + value);
  }
}

cluster::Collection Namespaces::collection() {
  return {.path = "/api/v1/namespaces", .what = "namespaces", .query = {}, .metadata_only = true};
}

bool Namespaces::can_be_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNamespaceNameBytes) return false;
  if (name.starts_with('-') || name.ends_with('-')) return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

LabelSetPointer Namespaces::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : at->second.labels;
}

std::size_t Namespaces::size() const {
  const std::shared_lock lock(mutex_);
  return entries_.size();
}

void Namespaces::begin() {
  ++lists_;
}

void Namespaces::put(const json::Object& object) {
  const std::string_view name = cluster::text_at(object, "metadata", "name");
  if (name.empty()) return;
  auto labels = std::make_shared<const LabelSet>(object);
  const std::unique_lock lock(mutex_);
  entries_[std::string(name)] = {std::move(labels), lists_};
}

void Namespaces::removed(const json::Object& object) {
  const std::unique_lock lock(mutex_);
  const auto at = entries_.find(cluster::text_at(object, "metadata", "name"));
  if (at != entries_.end()) entries_.erase(at);
}

void Namespaces::listed() {
  const std::unique_lock lock(mutex_);
  std::erase_if(entries_, [this](const auto& entry) { return entry.second.seen_in != lists_; });
}

asio::awaitable<LabelSetPointer> Namespaces::ask(cluster::Api& api,
                                                 std::string name,
                                                 net::Deadline deadline,
                                                 telemetry::Log& log) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline.at - net::Clock::now());
  cluster::ApiRequest request;
  request.path = collection().path + "/" + net::percent_encoded(name);
  request.time = left;
  request.for_review = true;
  const cluster::ApiResult answer = co_await api.call(std::move(request));
  if (!answer) {
    if (answer.error().code == 404) co_return nullptr;
    const std::string hint = answer.error().code == 403 ? "; is its ClusterRole bound?" : "";
    const std::string text = answer.error().text() + hint;
    log.write_limited(
        telemetry::LogLevel::kWarn, "namespace not read", {{"namespace", name}, {"why", text}});
    co_return nullptr;
  }
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(answer->body);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  if (!object) co_return nullptr;
  // What a watch has told meanwhile is at least as new.
  LabelSetPointer known = find(name);
  if (known != nullptr) co_return known;
  put(*object);
  co_return find(name);
}

}  // namespace plimsoll::webhook::policy_sources
