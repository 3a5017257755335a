// Where verdicts of scanners come from: every source behind one interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "policy/scan_verdict.h"

namespace plimsoll::webhook::scan {

// What is known of an image when a verdict is looked for; unknown digests are left out.
struct ScanSubject {
  std::string_view index_digest;  // of what the reference stands for: an index or a manifest
  std::span<const std::string_view> manifest_digests;
  std::span<const std::string_view> config_digests;
  std::string_view reference;  // normalised
};

// Safe to use from any thread.
class VerdictSource {
 public:
  VerdictSource() = default;
  VerdictSource(const VerdictSource&) = delete;
  VerdictSource& operator=(const VerdictSource&) = delete;
  virtual ~VerdictSource() = default;

  // nullptr: this source knows nothing of it.
  virtual std::shared_ptr<const policy::ScanVerdict> find(const ScanSubject& subject) const = 0;
  // Changes whenever `find` may answer something else.
  virtual std::uint64_t revision() const = 0;
  virtual std::string_view name() const = 0;
};

}  // namespace plimsoll::webhook::scan
