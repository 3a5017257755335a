// Any bytes as a manifest file: what comes out is valid JSON with positions inside the file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policy/json.h"
#include "webhook/documents/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace documents = plimsoll::webhook::documents;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  documents::DocumentLimits limits;
  limits.json_bytes = 1u << 20;
  limits.values = 10'000;
  const documents::DocumentStream stream = documents::read_documents(text, limits);
  plimsoll::policy::json::Parser parser;
  for (const documents::Document& document : stream.documents) {
    const simdjson::padded_string padded(document.json);
    if (parser.parse(padded).error() != simdjson::SUCCESS) __builtin_trap();
    const documents::Position position = document.positions.of_value("/spec/template");
    if (position.line == 0 || position.column == 0 || position.line > size + 1) __builtin_trap();
  }
  for (const documents::DocumentProblem& problem : stream.problems) {
    if (problem.message.empty() || problem.position.line > size + 1) __builtin_trap();
  }
  return 0;
}
