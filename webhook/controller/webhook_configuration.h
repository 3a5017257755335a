// The ValidatingWebhookConfiguration as it should be, as it is, and what has to be written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::controller {

inline constexpr std::size_t kMaxConfigurationBytes = 1u << 20U;

// As whoever installed us wants it: a YAML or JSON file with one ValidatingWebhookConfiguration.
class WantedConfiguration {
 public:
  // `name`: of the file, for messages.
  static policy::Result<WantedConfiguration> parse(std::string_view name, std::string_view text);
  // All that is wanted is the caBundle of every entry.
  static WantedConfiguration bundle_only(std::string name);

  const std::string& name() const { return name_; }

 private:
  friend struct Comparison;
  std::string name_;
  std::string revision_;  // by kRevisionAnnotation; may be empty
  std::string webhooks_;  // JSON text of the entries, with the API server's defaults; empty: any
};

// What a live object lacks. `bundle`: PEM text that every entry has to trust; nothing: whatever
// stands there stays, because somebody else keeps it.
struct Comparison {
  // The error says that the live object is none.
  static policy::Result<Comparison> of(const WantedConfiguration& wanted,
                                       std::string_view live,
                                       const std::optional<std::string>& bundle);

  bool is_unmanaged = false;  // by its annotation: hands off
  bool is_other_revision =
      false;             // installed anew: its entries are not ours to change, only trusted
  bool differs = false;  // in anything but the caBundle
  bool bundle_differs = false;
  std::string what;   // "webhooks[pods.plimsoll.dev].failurePolicy": the first difference
  std::string patch;  // merge patch; empty: nothing to write
  std::vector<std::string> trusted;  // the caBundle of each entry as PEM text, as it is now
};

// While it is "true", somebody works on the object by hand.
inline constexpr std::string_view kUnmanagedAnnotation = "plimsoll.dev/unmanaged";
// Of file and object, by whoever installs both: while an upgrade is under way, they differ, and
// what was just installed is not changed back.
inline constexpr std::string_view kRevisionAnnotation = "plimsoll.dev/revision";

}  // namespace plimsoll::webhook::controller
