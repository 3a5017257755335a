// The labels of every namespace of the cluster, as the API server tells them.
#pragma once

#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/workload.h"
#include "webhook/cluster/reflector.h"

namespace plimsoll::webhook::policy_sources {

inline constexpr std::size_t kMaxNamespaceNameBytes = 63;

// The labels of one namespace. Never changed once made.
class LabelSet {
 public:
  explicit LabelSet(const policy::json::Object& namespace_object);
  LabelSet(const LabelSet&) = delete;
  LabelSet& operator=(const LabelSet&) = delete;

  std::span<const policy::Label> labels() const { return labels_; }

 private:
  std::string text_;  // all keys and values
  std::vector<policy::Label> labels_;
};
using LabelSetPointer = std::shared_ptr<const LabelSet>;

// Filled on the API's thread, read from any.
class Namespaces final : public cluster::Observer {
 public:
  // A DNS label (RFC 1123): nothing else is ever the name of a namespace.
  static bool can_be_name(std::string_view name);

  // nullptr: not known, which is not the same as a namespace without labels.
  LabelSetPointer find(std::string_view name) const;
  std::size_t size() const;

  void begin() override;
  void put(const policy::json::Object& object) override;
  void removed(const policy::json::Object& object) override;
  void listed() override;

  // Asks for a namespace that is not known: a new one may be used before a watch has told of it.
  // nullptr where that failed. Runs on the API's thread.
  boost::asio::awaitable<LabelSetPointer> ask(cluster::Api& api,
                                              std::string name,
                                              net::Deadline deadline,
                                              telemetry::Log& log);

  static cluster::Collection collection();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Entry {
    LabelSetPointer labels;
    std::uint64_t seen_in = 0;  // the list that named it last
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
  std::uint64_t lists_ = 0;
};

}  // namespace plimsoll::webhook::policy_sources
