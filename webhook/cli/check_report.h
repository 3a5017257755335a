// What `plimsoll check` found, as values of their own, and how it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision.h"
#include "webhook/documents/document.h"

namespace plimsoll::webhook::cli {

struct ExceptionNote {
  std::string owner;
  std::string reason;
  std::string expires;   // "2027-01-31"
  bool expired = false;  // it would have covered the finding
};

struct CheckedFinding {
  std::string rule;  // a rule's id, or "malformed"
  policy::Action action = policy::Action::kOff;
  std::optional<std::string> container;
  std::string container_class;  // empty: about the pod as a whole
  std::string path;             // "spec.template.spec.containers[0].image"
  documents::Position position;
  std::string found;
  std::string limit;
  std::string message;
  std::string remedy;
  std::string text;  // message, detail and remedy in lines, for people
  std::vector<std::string> policies;
  std::optional<ExceptionNote> exception;
  bool existing = false;
  std::string unknown;  // why a fact is not known, where that is the finding; else empty
};

struct CheckedObject {
  std::string file;    // "-" for standard input
  std::string source;  // the template that Helm made it from
  documents::Position position;
  std::string api_version;
  std::string kind;
  std::string name_space;
  std::string name;
  policy::Verdict verdict = policy::Verdict::kAllow;
  std::vector<CheckedFinding> findings;
  std::vector<std::string> not_looked_up;  // rules that lack facts about an image
};

struct CheckReport {
  std::vector<CheckedObject> objects;  // those that were judged, in the order of the input
  std::size_t denied = 0;
  std::size_t warned = 0;
  std::size_t allowed = 0;
  std::size_t skipped = 0;       // no pods in them
  std::size_t unreadable = 0;    // files and documents
  bool looks_images_up = false;  // --images

  std::size_t total() const { return denied + warned + allowed + skipped; }
};

// Grouped by object, the worst first; a line with the counts at the end.
std::string report_as_text(const CheckReport& report, bool colour);

// schemaVersion 1, one document, objects in the order of the input.
std::string report_as_json(const CheckReport& report);

}  // namespace plimsoll::webhook::cli
