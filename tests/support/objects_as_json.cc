// Writes every object of YAML files as a line of JSON, List kinds unfolded: the tests' way to make
// reviews out of manifests.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "policy/json.h"
#include "policy/workload_reader.h"
#include "webhook/documents/document.h"

namespace {

namespace policy = plimsoll::policy;
namespace documents = plimsoll::webhook::documents;

void write(const policy::json::Object& object) {
  if (const auto items = policy::list_items(object)) {
    for (const policy::json::Element item : *items) std::cout << simdjson::minify(item) << '\n';
  } else {
    std::cout << simdjson::minify(object) << '\n';
  }
}

bool write_file(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const documents::DocumentStream stream = documents::read_documents(text.str());
  for (const documents::DocumentProblem& problem : stream.problems) {
    std::cerr << path << ':' << problem.position.line << ": " << problem.message << '\n';
  }
  for (const documents::Document& document : stream.documents) {
    policy::json::Parser parser;
    policy::json::Element root;
    if (parser.parse(document.json).get(root) != simdjson::SUCCESS) return false;
    const auto object = policy::json::as_object(root);
    if (object) write(*object);
  }
  return stream.problems.empty();
}

}  // namespace

int main(int argc, char** argv) {
  bool fine = true;
  for (int i = 1; i < argc; ++i) fine = write_file(argv[i]) && fine;
  return fine ? 0 : 1;
}
