// Walks the objects of manifest files: documents, List kinds unfolded, each with its place.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/json.h"
#include "policy/policy_set.h"
#include "policy/workload.h"
#include "webhook/documents/document.h"

namespace plimsoll::webhook::cli {

// Valid during the call that passes it.
struct InputObject {
  const std::string& file;  // "-" for standard input
  const documents::Document& document;
  std::string pointer;  // of the object in the document: "", "/items/3"
  policy::json::Object object;
};

// Standard input is read once and kept, so that files can be walked twice.
class InputReader {
 public:
  using Visitor = std::function<void(const InputObject&)>;

  // Calls `visit` for each object of the file, one document after the other. What cannot be read is
  // told on standard error where `tell` is set. Returns how many things could not be read.
  std::size_t walk(const std::string& file, bool tell, const Visitor& visit);

 private:
  std::string standard_input_;
  bool has_standard_input_ = false;
};

// The labels of the namespaces that are known: from Namespace objects.
class NamespaceLabels {
 public:
  // Takes the labels where the object is a Namespace.
  void add(const policy::json::Object& object);

  // False where the labels are not known. They include kubernetes.io/metadata.name, which the API
  // server sets. Views are valid until `add`.
  bool find(std::string_view name_space, std::vector<policy::Label>& labels) const;

  // What is always known of a namespace: its name.
  static std::vector<policy::Label> of_name(std::string_view name_space);

 private:
  std::map<std::string, std::vector<std::pair<std::string, std::string>>, std::less<>> known_;
};

// True if a selector of some policy looks at more than a namespace's name.
bool needs_namespace_objects(const policy::PolicySet& policies);

}  // namespace plimsoll::webhook::cli
