// The HygienePolicy and HygieneException objects of a cluster: what each says, what of it is in
// force, and what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/exception_document.h"
#include "policy/policy_set.h"
#include "webhook/cluster/reflector.h"

namespace plimsoll::webhook::policy_sources {

inline constexpr std::size_t kMaxExceptionObjects = 20'000;

// One HygienePolicy object. A document that is refused changes nothing of what is in force. Of more
// than kMaxPolicies those count that come first by name, whichever came first in time.
struct PolicyObject {
  std::string name;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<policy::HygienePolicy> in_force;
  std::int64_t in_force_generation = 0;
  std::string in_force_spec;  // JSON text
  std::string refusal;      // of `generation`: "spec.rules.imag-tag: unknown rule ..."; empty: none
  bool is_surplus = false;  // it would count if there were fewer; `refusal` says so
  std::string status;       // JSON text of what is written there now
  std::uint64_t seen_in = 0;  // the list that named it last

  bool is_wanted() const { return in_force.has_value(); }
  bool counts() const { return in_force && !is_surplus; }
};

// One HygieneException object. Of more than kMaxExceptionObjects those count that come first.
struct ExceptionObject {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<policy::NamespaceException> wanted;
  std::string spec;  // JSON text; empty where it is refused
  std::string refusal;
  bool is_surplus = false;
  std::string status;
  std::uint64_t seen_in = 0;

  bool is_wanted() const { return wanted.has_value(); }
  bool counts() const { return wanted && !is_surplus; }
};

// "spec.rules.image-tag.mutabel: unknown key ...; and 2 more": on one line.
std::string problems_text(const std::vector<policy::Problem>& problems);

// Used on the API's thread only. `changed` is called after each change of a policy.
class PolicyObjects final : public cluster::Observer {
 public:
  explicit PolicyObjects(std::function<void()> changed) : changed_(std::move(changed)) {}

  void begin() override;
  void put(const policy::json::Object& object) override { take(object, ""); }
  void put_part(const policy::json::Object& object, const std::string& trouble) override {
    take(object, trouble);
  }
  void removed(const policy::json::Object& object) override;
  void listed() override;

  const std::map<std::string, PolicyObject>& all() const { return objects_; }
  static cluster::Collection collection();

 private:
  void take(const policy::json::Object& object, const std::string& trouble);
  void settle();

  std::function<void()> changed_;
  bool listing_ = false;
  bool has_surplus_ = false;
  std::map<std::string, PolicyObject> objects_;  // by name
  std::uint64_t lists_ = 0;
};

// Used on the API's thread only.
class ExceptionObjects final : public cluster::Observer {
 public:
  explicit ExceptionObjects(std::function<void()> changed) : changed_(std::move(changed)) {}

  void begin() override;
  void put(const policy::json::Object& object) override { take(object, ""); }
  void put_part(const policy::json::Object& object, const std::string& trouble) override {
    take(object, trouble);
  }
  void removed(const policy::json::Object& object) override;
  void listed() override;

  const std::map<std::string, ExceptionObject>& all() const { return objects_; }
  static cluster::Collection collection();

 private:
  void take(const policy::json::Object& object, const std::string& trouble);
  void settle();

  std::function<void()> changed_;
  bool listing_ = false;
  bool has_surplus_ = false;
  std::map<std::string, ExceptionObject> objects_;  // by "namespace/name"
  std::uint64_t lists_ = 0;
};

// What the objects add up to; nothing where no policy is in force. The revision is the same
// wherever the same objects are.
std::shared_ptr<const policy::PolicySet> policies_of(const PolicyObjects& policies,
                                                     const ExceptionObjects& exceptions,
                                                     std::chrono::sys_seconds now);

}  // namespace plimsoll::webhook::policy_sources
