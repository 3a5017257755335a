#include "webhook/telemetry/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "policy/rule.h"

namespace plimsoll::webhook::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using Labels = prometheus::Labels;

constexpr std::array<std::string_view, 5> kOperations = {
    "CREATE", "UPDATE", "DELETE", "CONNECT", "other"};
constexpr std::array<std::string_view, 6> kResults = {
    "allow", "warn", "deny", "limit", "malformed", "ignored"};
constexpr std::array<std::string_view, 6> kFindingResults = {
    "denied", "warned", "audited", "excepted", "existing", "controller"};
constexpr std::array<std::string_view, 4> kActions = {"off", "audit", "warn", "enforce"};
constexpr std::array<std::string_view, 2> kShedReasons = {"in_flight", "memory"};
constexpr std::array<unsigned, 6> kStatuses = {400, 404, 405, 413, 415, 500};

std::size_t kind_index(const policy::WorkloadKind* kind) {
  const auto kinds = policy::workload_kinds();
  return kind == nullptr ? kinds.size() : static_cast<std::size_t>(kind - kinds.data());
}

std::string kind_label(std::size_t index) {
  const auto kinds = policy::workload_kinds();
  if (index >= kinds.size()) return "other";
  const policy::WorkloadKind& kind = kinds[index];
  return kind.built_in ? std::string(kind.kind)
                       : std::string(kind.kind) + "." + std::string(kind.group);
}

std::size_t rule_index(const policy::Rule* rule) {
  const auto rules = policy::all_rules();
  return static_cast<std::size_t>(std::ranges::find(rules, rule) - rules.begin());
}

// Counters of one family by position; made when first needed, so that only what happened is shown.
class CounterTable {
 public:
  CounterTable(Family<Counter>& family, std::size_t size) : family_(family), counters_(size) {}

  template <class MakeLabels>
  void add(std::size_t index, const MakeLabels& labels) {
    Counter* counter = counters_[index].load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter = &family_.Add(labels());  // the same counter for the same labels
      counters_[index].store(counter, std::memory_order_release);
    }
    counter->Increment();
  }

 private:
  Family<Counter>& family_;
  std::vector<std::atomic<Counter*>> counters_;
};

// Values that are read when somebody looks.
class Watched final : public prometheus::Collectable {
 public:
  struct Entry {
    Metrics::Type type;
    std::string name;
    std::string help;
    std::function<double()> read;
  };

  void add(Entry entry) {
    const std::scoped_lock lock(mutex_);
    entries_.push_back(std::move(entry));
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::scoped_lock lock(mutex_);
    std::vector<prometheus::MetricFamily> families;
    for (const Entry& entry : entries_) {
      prometheus::MetricFamily& family = families.emplace_back();
      const bool gauge = entry.type == Metrics::Type::kGauge;
      family.name = "plimsoll_" + entry.name;
      family.help = entry.help;
      family.type = gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
      prometheus::ClientMetric& metric = family.metric.emplace_back();
      (gauge ? metric.gauge.value : metric.counter.value) = entry.read();
    }
    return families;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 2.5, 10};

}  // namespace

class Metrics::Impl {
 public:
  prometheus::Registry registry;
  Watched watched;
  std::size_t kinds = policy::workload_kinds().size() + 1;
  CounterTable reviews{counters(registry, "plimsoll_reviews_total", "Admission reviews answered."),
                       kOperations.size() * kinds* kResults.size() * 2};
  CounterTable findings{
      counters(registry,
               "plimsoll_findings_total",
               "Findings by rule, the policy's action and what became of them."),
      policy::all_rules().size() * kActions.size() * kFindingResults.size() * kinds};
  CounterTable unknown{counters(registry,
                                "plimsoll_unknown_images_total",
                                "Findings that a fact about an image is not known, by reason."),
                       policy::kUnknownReasons};
  CounterTable shed{
      counters(registry, "plimsoll_shed_total", "Requests turned away because of overload."),
      kShedReasons.size()};
  CounterTable refused{counters(registry,
                                "plimsoll_refused_requests_total",
                                "Requests that were no admission review, by HTTP status."),
                       kStatuses.size() + 1};
  prometheus::Histogram& seconds =
      prometheus::BuildHistogram()
          .Name("plimsoll_review_duration_seconds")
          .Help("From the whole request to the answer, without network.")
          .Register(registry)
          .Add({}, kSeconds);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_review(const ReviewLabels& labels, double seconds) {
  const auto operation = static_cast<std::size_t>(labels.operation);
  const std::size_t kind = kind_index(labels.kind);
  const auto result = static_cast<std::size_t>(labels.result);
  const std::size_t index =
      ((operation * impl_->kinds + kind) * kResults.size() + result) * 2 + (labels.dry_run ? 1 : 0);
  impl_->reviews.add(index, [&labels, operation, kind, result] {
    return Labels{{"operation", std::string(kOperations[operation])},
                  {"kind", kind_label(kind)},
                  {"result", std::string(kResults[result])},
                  {"dry_run", labels.dry_run ? "true" : "false"}};
  });
  impl_->seconds.Observe(seconds);
}

void Metrics::count_finding(const policy::JudgedFinding& finding,
                            FindingResult result,
                            const policy::WorkloadKind* kind) {
  const std::size_t rule = rule_index(finding.rule);
  const auto action = static_cast<std::size_t>(finding.policy_action);
  const auto outcome = static_cast<std::size_t>(result);
  const std::size_t of_kind = kind_index(kind);
  const std::size_t index =
      ((rule * kActions.size() + action) * kFindingResults.size() + outcome) * impl_->kinds +
      of_kind;
  impl_->findings.add(index, [&finding, action, outcome, of_kind] {
    return Labels{{"rule", std::string(finding.rule->id)},
                  {"action", std::string(kActions[action])},
                  {"result", std::string(kFindingResults[outcome])},
                  {"kind", kind_label(of_kind)}};
  });
}

void Metrics::count_unknown(policy::UnknownReason reason) {
  impl_->unknown.add(static_cast<std::size_t>(reason), [reason] {
    return Labels{{"reason", std::string(policy::reason_word(reason))}};
  });
}

void Metrics::count_shed(ShedReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  impl_->shed.add(index, [index] { return Labels{{"reason", std::string(kShedReasons[index])}}; });
}

void Metrics::count_refused_request(unsigned status) {
  const auto at = std::ranges::find(kStatuses, status) - kStatuses.begin();
  const auto index = static_cast<std::size_t>(at);
  const bool known = index < kStatuses.size();
  impl_->refused.add(index, [known, status] {
    return Labels{{"code", known ? std::to_string(status) : "other"}};
  });
}

void Metrics::watch(Type type, std::string name, std::string help, std::function<double()> read) {
  impl_->watched.add({type, std::move(name), std::move(help), std::move(read)});
}

std::string Metrics::text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  std::ranges::move(impl_->watched.Collect(), std::back_inserter(families));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace plimsoll::webhook::telemetry
