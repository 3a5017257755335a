#include "webhook/registry/registry_file.h"

#include <utility>

#include "webhook/registry/digest.h"

namespace plimsoll::webhook::registry {
namespace {

// All that a configuration depends on, hashed: the file and the files that it names.
std::string fingerprint_of(const std::string& text, const RegistryConfig& config) {
  Hasher hasher;
  hasher.add(text);
  const auto add_file = [&hasher](const std::string& path) {
    const auto content = read_small_file(path);
    hasher.add(path);
    hasher.add(content ? *content : content.error().message);
  };
  for (const std::string& path : config.credential_files) add_file(path);
  for (const RegistryHost& host : config.hosts) {
    if (!host.ca_file.empty()) add_file(host.ca_file);
  }
  return hasher.digest();
}

}  // namespace

RegistryFile::Outcome RegistryFile::refuse(std::vector<std::string> errors) {
  const std::scoped_lock lock(mutex_);
  if (errors == errors_) return Outcome::kUnchanged;
  errors_ = std::move(errors);
  failures_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::kRefused;
}

RegistryFile::Outcome RegistryFile::poll() {
  RegistryConfig config;
  std::string text;
  if (!path_.empty()) {
    auto read = read_small_file(path_);
    if (!read) return refuse({read.error().message});
    text = *std::move(read);
    auto parsed = parse_registry_config(path_, text);
    if (!parsed) return refuse(std::move(parsed.error()));
    config = *std::move(parsed);
  }
  std::string fingerprint = fingerprint_of(text, config);
  if (fingerprint != published_) {
    auto registries = Registries::make(std::move(config), &read_small_file);
    if (!registries) return refuse(std::move(registries.error()));
    target_.publish(*std::move(registries));
  }
  const std::scoped_lock lock(mutex_);
  errors_.clear();
  if (fingerprint == published_) return Outcome::kUnchanged;
  published_ = std::move(fingerprint);
  return Outcome::kLoaded;
}

std::vector<std::string> RegistryFile::errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

}  // namespace plimsoll::webhook::registry
