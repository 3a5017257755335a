// What a script does with package managers: what it installs, removes, and leaves behind.
#pragma once

#include <string_view>
#include <vector>

namespace plimsoll::policy {

struct PackageWork {
  std::vector<std::string_view> installed;  // names without versions, in order, each once
  std::vector<std::string_view> managers;   // whose lists or caches stay: "apt-get"; each once
  std::string_view advice;                  // for the first of them, imperative
  bool removes = false;                     // some packages are removed again
  bool only_cleans = false;                 // every command removes files or packages, or cleans
};

PackageWork package_work(std::string_view script);

}  // namespace plimsoll::policy
