#include "webhook/policy_sources/policy_objects.h"

#include <utility>

#include <fmt/format.h>

#include "policy/namespace_exceptions.h"
#include "policy/policy_document.h"
#include "policy/printable.h"
#include "policy/workload.h"
#include "webhook/policy_sources/policy_loader.h"

namespace plimsoll::webhook::policy_sources {
namespace {

namespace json = policy::json;
using cluster::text_at;

constexpr std::size_t kToldProblems = 3;
constexpr std::size_t kMaxRefusalRunes = 1'000;
constexpr std::string_view kSurplus =
    "there are more than {} {}: those that come first by name count, and this one does not";

std::int64_t generation_of(const json::Object& object) {
  const auto metadata = json::last_member(object, "metadata");
  const auto fields = metadata ? json::as_object(*metadata) : std::nullopt;
  const auto member = fields ? json::last_member(*fields, "generation") : std::nullopt;
  return member ? json::as_integer(*member).value_or(0) : 0;
}

std::string key_of(const json::Object& exception) {
  return std::string(text_at(exception, "metadata", "namespace")) + "/" +
         std::string(text_at(exception, "metadata", "name"));
}

std::string text_of(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member ? simdjson::minify(*member) : std::string();
}

// What does not change when only the status does.
template <class Kept>
bool is_same(const Kept& kept, const json::Object& object) {
  return kept.uid == text_at(object, "metadata", "uid") && kept.generation == generation_of(object);
}

template <class Kept>
void read_identity(Kept& kept, const json::Object& object) {
  kept.name = text_at(object, "metadata", "name");
  kept.uid = text_at(object, "metadata", "uid");
  kept.generation = generation_of(object);
}

// Items of lists have no kind and apiVersion of their own.
std::string whole_document(std::string_view kind,
                           std::string_view metadata,
                           std::string_view spec) {
  return fmt::format(
      R"({{"apiVersion":"plimsoll.dev/v1alpha1","kind":"{}","metadata":{},"spec":{}}})",
      kind,
      metadata,
      spec.empty() ? "null" : spec);
}

template <class Parse>
auto parse_text(const std::string& text, Parse parse)
    -> decltype(parse(std::declval<json::Element>())) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
    return std::unexpected(std::vector<policy::Problem>{{"", false, "not JSON"}});
  }
  return parse(root);
}

// The spec that was in force before, as the status remembers it: a replica that starts while the
// newest spec is refused finds what the others still use.
void take_remembered(PolicyObject& kept, const json::Object& object) {
  const auto status = json::last_member(object, "status");
  const auto fields = status ? json::as_object(*status) : std::nullopt;
  const auto member = fields ? json::last_member(*fields, "inForce") : std::nullopt;
  const auto remembered = member ? json::as_object(*member) : std::nullopt;
  if (!remembered) return;
  const std::string spec = text_of(*remembered, "spec");
  if (spec.empty()) return;
  const std::string metadata = fmt::format(R"({{"name":"{}"}})", kept.name);
  auto parsed = parse_text(whole_document("HygienePolicy", metadata, spec), &policy::parse_policy);
  if (!parsed) return;
  const auto generation = json::last_member(*remembered, "generation");
  kept.in_force = *std::move(parsed);
  kept.in_force_generation = generation ? json::as_integer(*generation).value_or(0) : 0;
  kept.in_force_spec = spec;
}

std::string refusal_of_part(const std::string& trouble) {
  return problems_text({{"", false, "cannot be read: " + trouble}});
}

// Those that come first count, so that it is the same on every replica, whatever came before. True:
// there are some that do not, as there may have been before.
template <class Objects>
bool mark_surplus(Objects& objects, bool before, std::size_t limit, std::string_view what) {
  if (!before && objects.size() <= limit) return false;
  const std::string told = fmt::format(fmt::runtime(kSurplus), limit, what);
  std::size_t counted = 0;
  for (auto& [key, object] : objects) {
    object.is_surplus = object.is_wanted() && counted >= limit;
    if (object.counts()) ++counted;
    if (object.is_surplus && object.refusal.empty()) object.refusal = told;
    if (!object.is_surplus && object.refusal == told) object.refusal.clear();
  }
  return objects.size() > limit;
}

void take_spec(PolicyObject& kept, const json::Object& object, const std::string& trouble) {
  std::string spec = text_of(object, "spec");
  kept.refusal.clear();
  if (spec.empty() && !trouble.empty()) {
    kept.refusal = refusal_of_part(trouble);
  } else {
    const std::string metadata = text_of(object, "metadata");
    auto parsed =
        parse_text(whole_document("HygienePolicy", metadata, spec), &policy::parse_policy);
    if (parsed) {
      kept.in_force = *std::move(parsed);
      kept.in_force_generation = kept.generation;
      kept.in_force_spec = std::move(spec);
      return;
    }
    kept.refusal = problems_text(parsed.error());
  }
  if (!kept.in_force) take_remembered(kept, object);
}

void take_spec(ExceptionObject& kept, const json::Object& object, const std::string& trouble) {
  std::string spec = text_of(object, "spec");
  kept.wanted.reset();
  kept.spec.clear();
  kept.refusal.clear();
  if (spec.empty() && !trouble.empty()) {
    kept.refusal = refusal_of_part(trouble);
    return;
  }
  const std::string metadata = text_of(object, "metadata");
  auto parsed = parse_text(whole_document("HygieneException", metadata, spec),
                           &policy::parse_namespace_exception);
  if (!parsed) {
    kept.refusal = problems_text(parsed.error());
    return;
  }
  kept.wanted = *std::move(parsed);
  kept.spec = std::move(spec);
}

template <class Objects>
bool erase_unseen(Objects& objects, std::uint64_t list) {
  return std::erase_if(objects,
                       [list](const auto& entry) { return entry.second.seen_in != list; }) > 0;
}

}  // namespace

std::string problems_text(const std::vector<policy::Problem>& problems) {
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kToldProblems; ++i) {
    if (!text.empty()) text += "; ";
    const std::string path = policy::field_path(problems[i].pointer);
    text += (path.empty() ? "" : path + ": ") + problems[i].message;
  }
  if (problems.size() > kToldProblems) {
    text += fmt::format("; and {} more", problems.size() - kToldProblems);
  }
  return policy::printable(text, kMaxRefusalRunes);
}

cluster::Collection PolicyObjects::collection() {
  return {.path = "/apis/plimsoll.dev/v1alpha1/hygienepolicies",
          .what = "hygienepolicies",
          .by_definition = true};
}

void PolicyObjects::begin() {
  ++lists_;
  listing_ = true;
}

void PolicyObjects::take(const json::Object& object, const std::string& trouble) {
  const std::string name(text_at(object, "metadata", "name"));
  if (name.empty()) return;
  const auto [at, is_new] = objects_.try_emplace(name);
  PolicyObject& kept = at->second;
  const bool same = is_same(kept, object);
  const bool another = kept.uid != text_at(object, "metadata", "uid");
  if (another) kept = {};
  // Until the list is complete nobody knows.
  if (is_new) kept.is_surplus = objects_.size() > kMaxPolicies;
  has_surplus_ |= kept.is_surplus;
  kept.seen_in = lists_;
  kept.resource_version = text_at(object, "metadata", "resourceVersion");
  kept.status = text_of(object, "status");
  if (same && kept.generation > 0) {
    if (!kept.in_force) take_remembered(kept, object);
  } else {
    read_identity(kept, object);
    take_spec(kept, object, trouble);
  }
  settle();
  changed_();
}

void PolicyObjects::settle() {
  if (listing_) return;
  has_surplus_ = mark_surplus(objects_, has_surplus_, kMaxPolicies, "policies");
}

void PolicyObjects::removed(const json::Object& object) {
  if (objects_.erase(std::string(text_at(object, "metadata", "name"))) == 0) return;
  settle();
  changed_();
}

void PolicyObjects::listed() {
  erase_unseen(objects_, lists_);
  listing_ = false;
  settle();
  changed_();
}

cluster::Collection ExceptionObjects::collection() {
  return {.path = "/apis/plimsoll.dev/v1alpha1/hygieneexceptions",
          .what = "hygieneexceptions",
          .by_definition = true};
}

void ExceptionObjects::begin() {
  ++lists_;
  listing_ = true;
}

void ExceptionObjects::take(const json::Object& object, const std::string& trouble) {
  const auto [at, is_new] = objects_.try_emplace(key_of(object));
  ExceptionObject& kept = at->second;
  const bool same = is_same(kept, object);
  if (is_new) kept.is_surplus = objects_.size() > kMaxExceptionObjects;
  has_surplus_ |= kept.is_surplus;
  kept.seen_in = lists_;
  kept.resource_version = text_at(object, "metadata", "resourceVersion");
  kept.status = text_of(object, "status");
  if (same && kept.generation > 0) return changed_();
  read_identity(kept, object);
  kept.name_space = text_at(object, "metadata", "namespace");
  take_spec(kept, object, trouble);
  settle();
  changed_();
}

void ExceptionObjects::settle() {
  if (listing_) return;
  has_surplus_ = mark_surplus(objects_, has_surplus_, kMaxExceptionObjects, "exceptions");
}

void ExceptionObjects::removed(const json::Object& object) {
  if (objects_.erase(key_of(object)) == 0) return;
  settle();
  changed_();
}

void ExceptionObjects::listed() {
  erase_unseen(objects_, lists_);
  listing_ = false;
  settle();
  changed_();
}

std::shared_ptr<const policy::PolicySet> policies_of(const PolicyObjects& policies,
                                                     const ExceptionObjects& exceptions,
                                                     std::chrono::sys_seconds now) {
  std::vector<policy::HygienePolicy> in_force;
  std::vector<PolicySource> sources;
  for (const auto& [name, object] : policies.all()) {
    if (!object.counts()) continue;
    in_force.push_back(*object.in_force);
    sources.push_back({name, object.in_force_spec});
  }
  if (in_force.empty()) return nullptr;
  for (const auto& [key, object] : exceptions.all()) {
    if (!object.counts()) continue;
    bool taken = false;
    for (policy::HygienePolicy& policy : in_force) {
      auto answer = policy::answer_exception(policy, *object.wanted, now);
      if (!answer.taken) continue;
      policy.exceptions.push_back(*std::move(answer.taken));
      taken = true;
    }
    if (taken) sources.push_back({key, object.spec});
  }
  return std::make_shared<const policy::PolicySet>(
      policy::make_policy_set(std::move(in_force), revision_of(sources)));
}

}  // namespace plimsoll::webhook::policy_sources
