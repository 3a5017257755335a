#include "webhook/cli/check_input.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "policy/workload_reader.h"
#include "webhook/cli/terminal.h"
#include "webhook/documents/input_files.h"

namespace plimsoll::webhook::cli {
namespace {

namespace json = policy::json;
using documents::Document;

constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";
constexpr std::size_t kMaxListDepth = 4;  // of Lists in Lists

std::string place(const std::string& file, documents::Position position) {
  return fmt::format("{}:{}:{}", file == "-" ? "stdin" : file, position.line, position.column);
}

// What is still to be visited, the next one at the back.
struct Pending {
  json::Element element;
  std::string pointer;
  std::size_t depth = 0;
};

class DocumentWalk {
 public:
  DocumentWalk(const std::string& file, bool tell, const InputReader::Visitor& visit)
      : file_(file), tell_(tell), visit_(visit) {}

  void walk(const Document& document) {
    json::Element root;
    const simdjson::padded_string text(document.json);
    if (parser_.parse(text).get(root) != simdjson::SUCCESS) {
      return unreadable(document.start, "cannot be read as JSON");
    }
    std::vector<Pending> pending = {{root, "", 0}};
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      visit(document, next, pending);
    }
  }

  void unreadable(documents::Position position, std::string_view message) {
    ++unreadable_;
    if (tell_) complain(fmt::format("{}: {}", place(file_, position), message));
  }

  std::size_t count() const { return unreadable_; }

 private:
  void visit(const Document& document, const Pending& next, std::vector<Pending>& pending) {
    const documents::Position position = document.positions.of_value(next.pointer);
    const auto object = json::as_object(next.element);
    if (!object) return unreadable(position, "not an object; a manifest has apiVersion and kind");
    const auto items = policy::list_items(*object);
    if (!items) return visit_({file_, document, next.pointer, *object});
    if (next.depth == kMaxListDepth) return unreadable(position, "Lists nested too deeply");
    const std::size_t first = pending.size();
    for (const json::Element item : *items) {
      const std::string pointer = fmt::format("{}/items/{}", next.pointer, pending.size() - first);
      pending.push_back({item, pointer, next.depth + 1});
    }
    std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
  }

  const std::string& file_;
  bool tell_;
  const InputReader::Visitor& visit_;
  json::Parser parser_;
  std::size_t unreadable_ = 0;
};

}  // namespace

std::size_t InputReader::walk(const std::string& file, bool tell, const Visitor& visit) {
  const documents::DocumentLimits limits;
  std::string text;
  const bool again = file == "-" && has_standard_input_;
  if (!again) {
    auto whole = documents::read_file(file, limits.bytes);
    if (!whole) {
      if (tell) complain(fmt::format("{}: {}", file, whole.error().message));
      return 1;
    }
    text = *std::move(whole);
  }
  std::string_view content = text;
  if (file == "-") {
    if (!again) standard_input_ = std::move(text);
    has_standard_input_ = true;
    content = standard_input_;
  }
  const documents::DocumentStream stream = documents::read_documents(content, limits);
  DocumentWalk walk(file, tell, visit);
  for (const documents::DocumentProblem& problem : stream.problems) {
    walk.unreadable(problem.position, problem.message);
  }
  for (const Document& document : stream.documents) walk.walk(document);
  return walk.count();
}

void NamespaceLabels::add(const json::Object& object) {
  const policy::ObjectName name = policy::read_object_name(object);
  if (name.kind != "Namespace" || name.api_version != "v1" || name.name.empty()) return;
  auto& labels = known_[std::string(name.name)];
  labels.clear();
  const auto metadata = json::last_member(object, "metadata");
  const auto metadata_object = metadata ? json::as_object(*metadata) : std::nullopt;
  const auto member =
      metadata_object ? json::last_member(*metadata_object, "labels") : std::nullopt;
  const auto map = member ? json::as_object(*member) : std::nullopt;
  if (!map) return;
  for (const auto& [key, value] : *map) {
    const auto text = json::as_text(value);
    if (text && key != kNameLabel) labels.emplace_back(key, *text);
  }
}

bool NamespaceLabels::find(std::string_view name_space, std::vector<policy::Label>& labels) const {
  labels = of_name(name_space);
  const auto known = known_.find(name_space);
  if (known == known_.end()) return false;
  for (const auto& [key, value] : known->second) labels.push_back({key, value});
  return true;
}

std::vector<policy::Label> NamespaceLabels::of_name(std::string_view name_space) {
  return {{kNameLabel, name_space}};
}

bool needs_namespace_objects(const policy::PolicySet& policies) {
  const auto needs = [](const policy::Match& match) {
    return match.namespace_selector &&
           std::ranges::any_of(match.namespace_selector->requirements,
                               [](const policy::LabelRequirement& requirement) {
                                 return requirement.key != kNameLabel;
                               });
  };
  return std::ranges::any_of(policies.policies, [needs](const policy::HygienePolicy& policy) {
    return needs(policy.match) || std::ranges::any_of(policy.exclude, needs) ||
           std::ranges::any_of(policy.exceptions, [needs](const policy::Exception& exception) {
             return needs(exception.match);
           });
  });
}

}  // namespace plimsoll::webhook::cli
