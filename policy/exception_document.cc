#include "policy/exception_document.h"

#include <array>
#include <utility>

#include "policy/document_parts.h"
#include "policy/match_reader.h"

namespace plimsoll::policy {
namespace {

constexpr std::string_view kKind = "HygieneException";

// Its own namespace and no other: whoever may write there answers for it.
Match read_own_match(const Node& node, Problems& problems) {
  const auto object = json::as_object(node.value);
  for (const std::string_view key : {"namespaces", "namespaceSelector"}) {
    const auto member = object ? json::last_member(*object, key) : std::nullopt;
    if (!member) continue;
    problems.at_key(node.member(key, *member),
                    "a HygieneException is for its own namespace; remove this key");
    return {};
  }
  return read_match(node, Emptiness::kAllowed, problems);
}

void read_exception_spec(const Node& node, NamespaceException& wanted, Problems& problems) {
  const auto read_rules_of = [&wanted, &problems](const Node& member) {
    wanted.exception.rules = read_rule_ids(member, problems);
  };
  const auto read_match_of = [&wanted, &problems](const Node& member) {
    wanted.exception.match = read_own_match(member, problems);
  };
  const auto read_policies = [&wanted, &problems](const Node& member) {
    wanted.policies = read_texts(member, Emptiness::kRefused, problems);
  };
  std::vector<Field> fields = {Field{"rules", read_rules_of, true},
                               Field{"match", read_match_of},
                               Field{"policies", read_policies}};
  add_reason_fields(wanted.exception, fields, problems);
  read_fields(node, fields, problems);
}

}  // namespace

std::expected<NamespaceException, std::vector<Problem>> parse_namespace_exception(
    const json::Element& document) {
  NamespaceException wanted;
  Problems problems;
  const auto read_head = [&wanted, &problems](const Node& node) {
    ObjectMetadata metadata = read_metadata(node, problems);
    wanted.name = std::move(metadata.name);
    wanted.name_space = std::move(metadata.name_space);
    wanted.created = metadata.created;
  };
  const std::array<Field, 5> fields = {
      Field{"apiVersion",
            [&problems](const Node& node) { read_constant(node, kApiVersion, problems); },
            true},
      Field{"kind", [&problems](const Node& node) { read_constant(node, kKind, problems); }, true},
      Field{"metadata", read_head, true},
      Field{"spec",
            [&wanted, &problems](const Node& node) { read_exception_spec(node, wanted, problems); },
            true},
      Field{"status", [](const Node&) {}}};
  read_fields({document, ""}, fields, problems);
  if (!problems.none()) return std::unexpected(problems.take());
  wanted.exception.match.namespaces = {wanted.name_space};
  return wanted;
}

}  // namespace plimsoll::policy
