// YAML scalars typed as sigs.k8s.io/yaml types them (YAML 1.1), which is what kubectl and Helm
// read.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace plimsoll::webhook::documents {

enum class ScalarType : std::uint8_t { kNull, kBool, kInteger, kFloat, kNotFinite, kText };

struct Scalar {
  ScalarType type = ScalarType::kText;
  std::string text;  // JSON text of null, booleans and numbers; else the characters themselves
};

// A plain scalar without tag: 0x1F is 31, 0777 is 511, 1_000 is 1000, yes is true, 12:30 is text.
Scalar resolve_plain(std::string_view text);

// With its tag as yaml-cpp has it: "?" plain, "!" quoted or block, else the whole tag. The error is
// a sentence: a tag that does not fit its value, or that is not understood (binary).
std::expected<Scalar, std::string> resolve_scalar(std::string_view tag, std::string_view text);

// As a JSON value; an error for what JSON cannot say (.inf).
std::expected<std::string, std::string> scalar_to_json(const Scalar& scalar);

// As the key of an object; an error for null.
std::expected<std::string, std::string> scalar_to_key(const Scalar& scalar, std::string_view text);

// Appends a JSON string, quotes included. `text` is valid UTF-8.
void append_json_string(std::string& json, std::string_view text);

}  // namespace plimsoll::webhook::documents
