// What `plimsoll image` has found out about one image, and how it is written.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/image_facts.h"
#include "webhook/cli/layer_examination.h"

namespace plimsoll::webhook::cli {

struct PolicyVerdict {
  policy::Verdict verdict = policy::Verdict::kAllow;
  std::vector<std::string> lines;  // "deny image-size: ...", with their details
};

struct ImageReport {
  std::string reference;   // as typed
  std::string normalised;  // as understood; empty: it is no reference
  std::shared_ptr<const policy::ImageFacts> facts;
  std::optional<PolicyVerdict> policy;
  std::optional<Examination> content;  // of the first platform's layers
  std::chrono::sys_seconds now;

  bool is_known() const;
};

// For people; the widths of columns are those of the text.
std::string image_as_text(const ImageReport& report, bool colour);

// schemaVersion 1, all images in one document.
std::string images_as_json(const std::vector<ImageReport>& reports);

struct Hint {
  std::string text;
  std::uint64_t at_most = 0;  // bytes compressed
  bool proof = false;
};
// How the image could be made lighter, the greatest saving first.
std::vector<Hint> hints_of(const policy::Manifest& manifest, const policy::ImageConfig* config);

// The price that a pull is shown with, $ per 10^9 bytes.
policy::Quantity usual_price();

}  // namespace plimsoll::webhook::cli
