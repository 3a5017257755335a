#include "webhook/policy_sources/policy_loader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "policy/json.h"
#include "policy/namespace_exceptions.h"
#include "policy/policy_document.h"
#include "policy/printable.h"
#include "policy/workload_reader.h"
#include "webhook/documents/document.h"
#include "webhook/documents/input_files.h"
#include "webhook/policy_sources/default_policy.h"

namespace plimsoll::webhook::policy_sources {
namespace {

namespace json = policy::json;
using documents::Document;
using documents::Position;

constexpr std::size_t kRevisionBytes = 6;  // of the SHA-256

constexpr documents::DocumentLimits kLimits{.bytes = kMaxPolicyFileBytes,
                                            .depth = 64,
                                            .json_bytes = 8u << 20,
                                            .documents = kMaxPolicies,
                                            .values = 500'000};

// Collects the policies of all sources, and what is wrong with any of them.
class Loader {
 public:
  explicit Loader(bool namespace_labels_known) : namespace_labels_known_(namespace_labels_known) {}

  void add_source(const PolicySource& source) {
    source_ = source.name;
    const documents::DocumentStream stream = documents::read_documents(source.text, kLimits);
    for (const documents::DocumentProblem& problem : stream.problems) {
      complain(problem.position, problem.message);
    }
    for (const Document& document : stream.documents) add_document(document);
    if (stream.documents.empty() && stream.problems.empty()) {
      complain({}, "no policy in it; remove it or write one");
    }
    flush();
  }

  std::expected<PolicyDocuments, ErrorLines> take() {
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    PolicyDocuments documents;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (const policy::NamespaceException& exception : exceptions_) {
      for (policy::HygienePolicy& policy : policies_) {
        auto answer = policy::answer_exception(policy, exception, now);
        if (answer.taken) policy.exceptions.push_back(*std::move(answer.taken));
      }
    }
    documents.policies = policy::make_policy_set(std::move(policies_), "");
    documents.exceptions = std::move(exceptions_);
    return documents;
  }

 private:
  struct Complaint {
    Position position;
    std::string message;
  };

  void complain(Position position, std::string message) {
    complaints_.push_back({position, std::move(message)});
  }

  // In the order of the file.
  void flush() {
    std::ranges::sort(complaints_, {}, [](const Complaint& complaint) {
      return std::tuple(
          complaint.position.line, complaint.position.column, std::string_view(complaint.message));
    });
    for (const Complaint& complaint : complaints_) {
      errors_.push_back(fmt::format("{}:{}:{}: {}",
                                    source_,
                                    complaint.position.line,
                                    complaint.position.column,
                                    complaint.message));
    }
    complaints_.clear();
  }

  void add_document(const Document& document) {
    json::Parser parser;
    json::Element root;
    const simdjson::padded_string text(document.json);
    if (parser.parse(text).get(root) != simdjson::SUCCESS) {
      return complain(document.start, "cannot be read");
    }
    const auto object = json::as_object(root);
    const auto items = object ? policy::list_items(*object) : std::nullopt;
    if (!items) return add_object(document, root, "");
    std::size_t index = 0;
    for (const json::Element item : *items) {
      add_object(document, item, fmt::format("/items/{}", index++));
    }
  }

  void complain_of(const Document& document,
                   std::string_view prefix,
                   std::vector<policy::Problem> problems) {
    for (policy::Problem& problem : problems) {
      const std::string pointer = std::string(prefix) + problem.pointer;
      complain(problem.at_key ? document.positions.of_key(pointer)
                              : document.positions.of_value(pointer),
               std::move(problem.message));
    }
  }

  void add_object(const Document& document, const json::Element& element, std::string_view prefix) {
    const auto object = json::as_object(element);
    const auto kind = object ? json::last_member(*object, "kind") : std::nullopt;
    if (kind && json::as_text(*kind) == "HygieneException") {
      add_exception(document, element, prefix);
    } else {
      add_policy(document, element, prefix);
    }
  }

  void add_exception(const Document& document,
                     const json::Element& element,
                     std::string_view prefix) {
    auto parsed = policy::parse_namespace_exception(element);
    if (!parsed) return complain_of(document, prefix, std::move(parsed.error()));
    if (parsed->name_space.empty()) {
      return complain(document.positions.of_value(std::string(prefix) + "/metadata"),
                      "metadata.namespace is missing: it is for its own namespace alone");
    }
    exceptions_.push_back(*std::move(parsed));
  }

  void add_policy(const Document& document, const json::Element& element, std::string_view prefix) {
    auto parsed = policy::parse_policy(element);
    if (!parsed) return complain_of(document, prefix, std::move(parsed.error()));
    const Position at =
        document.positions.of_value(std::string(prefix) + std::string("/metadata/name"));
    const auto [known, is_new] =
        names_.try_emplace(parsed->name, fmt::format("{}:{}:{}", source_, at.line, at.column));
    if (!is_new) {
      return complain(at,
                      fmt::format("a policy named {} is already in {}; names tell policies apart",
                                  policy::quoted(parsed->name),
                                  known->second));
    }
    if (!namespace_labels_known_ && parsed->needs_namespace_labels()) {
      return complain(selector_position(document, element, prefix),
                      "namespaceSelector needs the labels of namespaces, which are not known here; "
                      "use namespaces with patterns");
    }
    if (policies_.size() == kMaxPolicies) {
      return complain(at, fmt::format("more than {} policies", kMaxPolicies));
    }
    policies_.push_back(*std::move(parsed));
  }

  // Of the first namespaceSelector of a policy that has one.
  static Position selector_position(const Document& document,
                                    const json::Element& element,
                                    std::string_view prefix) {
    std::vector<std::string> places = {"/spec/match"};
    const auto add = [&places, &element](std::string_view list, std::string_view below) {
      json::Array entries;
      if (element.at_pointer(list).get(entries) != simdjson::SUCCESS) return;
      for (std::size_t i = 0; i < entries.size(); ++i) {
        places.push_back(fmt::format("{}/{}{}", list, i, below));
      }
    };
    add("/spec/exclude", "");
    add("/spec/exceptions", "/match");
    for (const std::string& place : places) {
      const std::string pointer = place + "/namespaceSelector";
      if (element.at_pointer(pointer).error() != simdjson::SUCCESS) continue;
      return document.positions.of_key(std::string(prefix) + pointer);
    }
    return document.start;
  }

  bool namespace_labels_known_;
  std::string source_;
  std::vector<Complaint> complaints_;
  ErrorLines errors_;
  std::map<std::string, std::string> names_;  // name -> where it was first
  std::vector<policy::HygienePolicy> policies_;
  std::vector<policy::NamespaceException> exceptions_;
};

}  // namespace

std::expected<std::vector<PolicySource>, ErrorLines> read_policy_sources(
    const std::vector<std::string>& paths) {
  std::vector<PolicySource> sources;
  if (paths.empty()) sources.push_back({"default policy", std::string(default_policy_yaml())});
  ErrorLines errors;
  for (const std::string& path : paths) {
    documents::InputFiles files = documents::list_files(path);
    if (files.paths.empty() && files.problems.empty()) {
      errors.push_back(path + ": no *.yaml, *.yml or *.json file in it");
    }
    std::ranges::move(files.problems, std::back_inserter(errors));
    for (const std::string& file : files.paths) {
      auto text = documents::read_file(file, kMaxPolicyFileBytes);
      if (!text) {
        errors.push_back(file + ": " + text.error().message);
      } else if (sources.size() == kMaxPolicyFiles) {
        errors.push_back(fmt::format("{}: more than {} policy files", file, kMaxPolicyFiles));
        return std::unexpected(std::move(errors));
      } else {
        sources.push_back({file, *std::move(text)});
      }
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return sources;
}

std::string revision_of(const std::vector<PolicySource>& sources) {
  std::string all;
  for (const PolicySource& source : sources) {
    all += fmt::format("{} {} {} ", source.name.size(), source.text.size(), source.name);
    all += source.text;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return "unknown";
  }
  std::string text;
  for (std::size_t i = 0; i < kRevisionBytes; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::expected<PolicyDocuments, ErrorLines> parse_documents(const std::vector<PolicySource>& sources,
                                                           bool namespace_labels_known) {
  Loader loader(namespace_labels_known);
  for (const PolicySource& source : sources) loader.add_source(source);
  return loader.take();
}

std::expected<policy::PolicySet, ErrorLines> parse_policies(
    const std::vector<PolicySource>& sources, bool namespace_labels_known) {
  auto documents = parse_documents(sources, namespace_labels_known);
  if (!documents) return std::unexpected(std::move(documents.error()));
  if (documents->policies.policies.empty()) {
    return std::unexpected(ErrorLines{"there are exceptions, but no policy to be excepted from"});
  }
  return std::move(documents->policies);
}

std::expected<policy::PolicySet, ErrorLines> load_policies(const std::vector<std::string>& paths,
                                                           bool namespace_labels_known) {
  const auto sources = read_policy_sources(paths);
  if (!sources) return std::unexpected(sources.error());
  return parse_policies(*sources, namespace_labels_known);
}

}  // namespace plimsoll::webhook::policy_sources
