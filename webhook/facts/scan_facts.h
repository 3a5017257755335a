// What the configured sources of scan verdicts say of an image.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "policy/image_facts.h"
#include "webhook/scan/source.h"

namespace plimsoll::webhook::facts {

// The first source that has a verdict; kNoReport where none has. By digests where they are known,
// and by the reference.
policy::Fact<std::shared_ptr<const policy::ScanVerdict>> scan_fact(
    std::span<const scan::VerdictSource* const> sources,
    const policy::ImageFacts& facts,
    const std::string& reference);

// Changes whenever any source may say something else. Never 0.
std::uint64_t revision_of(std::span<const scan::VerdictSource* const> sources);

}  // namespace plimsoll::webhook::facts
