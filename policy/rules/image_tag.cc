#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/ascii.h"
#include "policy/pattern.h"
#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kMutable, kRequireSemver };

constexpr std::array<Parameter, 2> kParameters = {{
    {.name = "mutable",
     .kind = ParameterKind::kGlobList,
     .default_json = R"(["latest"])",
     .summary = "tags (globs) that are moved from image to image; a missing tag counts as latest"},
    {.name = "requireSemver",
     .kind = ParameterKind::kFlag,
     .default_json = "false",
     .summary = "the tag must be a semantic version: MAJOR.MINOR.PATCH, optionally -PRERELEASE and "
                "a leading v"},
}};

// Takes a number without leading zeros off the front.
bool take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

// Letters, digits and hyphens; a number has no leading zeros.
bool is_prerelease_part(std::string_view part) {
  if (part.empty() || part.find('_') != std::string_view::npos) return false;
  const bool number = std::ranges::all_of(part, is_digit);
  return !number || part.size() == 1 || part[0] != '0';
}

// semver.org 2.0.0, without build metadata, which a tag cannot hold.
bool is_semver(std::string_view tag) {
  if (tag.starts_with('v')) tag.remove_prefix(1);
  const bool core =
      take_number(tag) && take_dot(tag) && take_number(tag) && take_dot(tag) && take_number(tag);
  if (!core || tag.empty()) return core;
  if (!tag.starts_with('-')) return false;
  while (!tag.empty()) {
    tag.remove_prefix(1);  // the dash, then the dots
    const std::size_t end = std::min(tag.find('.'), tag.size());
    if (!is_prerelease_part(tag.substr(0, end))) return false;
    tag.remove_prefix(end);
  }
  return true;
}

void add(const RuleInput& input,
         const Container& container,
         std::string found,
         std::string_view limit,
         std::vector<Finding>& findings) {
  Finding& finding = findings.emplace_back();
  finding.container = &container;
  finding.subject = image_subject(container);
  finding.pointer = image_pointer(input.workload, container);
  finding.message = describe_image(container) + " has " + found;
  finding.found = std::move(found);
  finding.limit = limit;
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& mutable_tags = input.parameters.list(kMutable);
  const bool semver = input.parameters.flag(kRequireSemver);
  for (const Container* container : input.containers) {
    if (!container->reference || container->reference->is_pinned()) continue;
    const ImageReference& reference = *container->reference;
    const std::string_view tag = reference.effective_tag();
    if (any_glob_matches(mutable_tags, tag)) {
      const std::string found = reference.tag.empty()
                                    ? std::string("no tag, which means \"latest\"")
                                    : "the mutable tag " + quoted(tag);
      add(input, *container, found, "a tag that is never moved, or a digest", findings);
    } else if (semver && !is_semver(tag)) {
      add(input,
          *container,
          "the tag " + quoted(tag) + ", which is not a semantic version",
          "MAJOR.MINOR.PATCH",
          findings);
    }
  }
}

}  // namespace

constinit const Rule kImageTag = {
    .id = "image-tag",
    .title = "Images have a fixed tag or a digest",
    .why =
        "A tag that moves makes two pods of one Deployment run different code, and a rollback "
        "pulls what it "
        "was meant to undo.",
    .remedy = "name the version, as in app:1.4.2, or pin the digest",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
