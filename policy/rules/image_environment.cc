#include <algorithm>
#include <array>
#include <cstddef>

#include "policy/ascii.h"
#include "policy/printable.h"
#include "policy/rules/rule_table.h"

namespace plimsoll::policy::rules {
namespace {

enum : std::size_t { kWords };

constexpr std::array<Parameter, 1> kParameters = {{
    {.name = "words",
     .kind = ParameterKind::kTextList,
     .default_json =
         R"(["dev", "test", "qa", "staging", "stage", "preprod", "prod", "production"])",
     .summary = "names of environments, compared with whole words of repository and tag"},
}};

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

// The first whole word (between - _ . /) of `text` that is listed; empty: none.
std::string_view environment_word(std::string_view text, const std::vector<std::string>& words) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("-_./"), text.size());
    const std::string_view word = text.substr(0, end);
    for (const std::string& listed : words) {
      if (equals_ignoring_case(word, listed)) return word;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

void check(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& words = input.parameters.list(kWords);
  for (const Container* container : input.containers) {
    if (!container->reference) continue;
    const ImageReference& reference = *container->reference;
    const std::string_view in_path = environment_word(reference.path, words);
    const std::string_view word =
        in_path.empty() ? environment_word(reference.tag, words) : in_path;
    if (word.empty()) continue;
    Finding& finding = findings.emplace_back();
    finding.container = container;
    finding.subject = image_subject(*container);
    finding.pointer = image_pointer(input.workload, *container);
    finding.found = quoted(word);
    finding.limit = "one image for all environments";
    finding.message = describe_image(*container) + " is built for one environment: its " +
                      (in_path.empty() ? "tag" : "repository") + " says " + finding.found;
  }
}

}  // namespace

constinit const Rule kImageEnvironment = {
    .id = "image-environment",
    .title = "One image serves all environments",
    .why =
        "An image that is built anew for production is not the image that was tested. What differs "
        "between "
        "environments belongs into configuration.",
    .remedy =
        "build one image, move its settings into a ConfigMap or Secret, and promote it unchanged",
    .parameters = kParameters,
    .check = check,
};

}  // namespace plimsoll::policy::rules
