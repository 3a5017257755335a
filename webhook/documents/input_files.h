// The files that a path on the command line means, and their content.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policy/result.h"

namespace plimsoll::webhook::documents {

struct InputFiles {
  std::vector<std::string> paths;
  std::vector<std::string> problems;  // "path: message"
};

// A file stands for itself, whatever its name. A directory stands for the *.yaml, *.yml and *.json
// files in it and below, sorted; symbolic links are followed, each directory is entered once, and
// entries that begin with ".." are left out (the hidden half of a ConfigMap mount).
InputFiles list_files(const std::string& path);

// The whole file; "-" is standard input. kTooLarge beyond `limit` bytes; pipes are fine.
policy::Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace plimsoll::webhook::documents
