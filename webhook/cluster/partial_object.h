// What can be read of an object that is stored in a cluster although our JSON parser refuses it: a
// number that no 64 bits hold, or nesting beyond its limit, in a field that nobody knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plimsoll::webhook::cluster {

struct PartialObject {
  // JSON text of an object: its members that can be read, and of its metadata what can be read.
  std::string text;
  // What is left out and why: "spec.x: a number that is too large"; empty: nothing but metadata.
  std::string trouble;
};

// Of the text of one object. Nothing where not even its name can be read.
std::optional<PartialObject> read_partly(std::string_view object);

}  // namespace plimsoll::webhook::cluster
