#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "policy/ascii.h"
#include "policy/document_reader.h"
#include "policy/printable.h"
#include "webhook/documents/document.h"
#include "webhook/registry/registries.h"

namespace plimsoll::webhook::registry {
namespace {

namespace json = policy::json;
using policy::Emptiness;
using policy::Field;
using policy::Node;
using policy::Problems;

constexpr std::string_view kApiVersion = "plimsoll.dev/v1alpha1";
constexpr std::string_view kKind = "RegistryConfig";
constexpr documents::DocumentLimits kLimits{.bytes = kMaxRegistryFileBytes,
                                            .depth = 32,
                                            .json_bytes = 4u << 20,
                                            .documents = 2,
                                            .values = 50'000};

void read_flag(const Node& node, bool& flag, Problems& problems) {
  const auto value = json::as_flag(node.value);
  if (value) {
    flag = *value;
  } else {
    problems.wrong_type(node, "true or false");
  }
}

// "registry.corp:5000", as host_key() has it.
std::string read_host(const Node& node, Problems& problems) {
  const auto text = policy::read_text(node, Emptiness::kRefused, problems);
  if (!text) return "";
  const std::string image = *text + "/image";
  const auto reference = policy::parse_image_reference(image);
  const bool fine = reference && reference->path == "image";
  const bool hub = *text == "docker.io" || *text == "index.docker.io";
  if (fine || hub) return reference->host_key();
  problems.at_value(node,
                    policy::quoted(*text) +
                        " is no registry; write a host as images have it, registry.corp:5000");
  return "";
}

std::vector<net::Url> read_mirrors(const Node& node, Problems& problems) {
  std::vector<net::Url> mirrors;
  const std::vector<std::string> texts = policy::read_texts(node, Emptiness::kAllowed, problems);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto url = net::parse_url(texts[i]);
    if (url && url->target.find('?') == std::string::npos) {
      if (url->target == "/") url->target = "/v2/";
      if (!url->target.ends_with('/')) url->target += '/';
      mirrors.push_back(*std::move(url));
      continue;
    }
    problems.at_value(
        node.entry(i, node.value),
        policy::quoted(texts[i]) + " is no mirror; write a URL, https://mirror.corp/v2/dockerhub");
  }
  return mirrors;
}

RegistryHost read_registry(const Node& node, Problems& problems) {
  RegistryHost host;
  const std::array<Field, 6> fields = {
      Field{
          "host", [&host, &problems](const Node& n) { host.host = read_host(n, problems); }, true},
      Field{"private",
            [&host, &problems](const Node& n) { read_flag(n, host.private_addresses, problems); }},
      Field{"plainHTTP",
            [&host, &problems](const Node& n) { read_flag(n, host.plain_http, problems); }},
      Field{"ca",
            [&host, &problems](const Node& n) {
              host.ca_file = policy::read_text(n, Emptiness::kRefused, problems).value_or("");
            }},
      Field{"mirrors",
            [&host, &problems](const Node& n) { host.mirrors = read_mirrors(n, problems); }},
      Field{"tokenRealms", [&host, &problems](const Node& n) {
              host.token_realms = policy::read_texts(n, Emptiness::kAllowed, problems);
            }}};
  policy::read_fields(node, fields, problems);
  if (host.plain_http && !host.ca_file.empty()) {
    problems.at_value(node, "plainHTTP and ca exclude each other");
  }
  return host;
}

std::vector<policy::Platform> read_platforms(const Node& node, Problems& problems) {
  std::vector<policy::Platform> platforms;
  const std::vector<std::string> texts = policy::read_texts(node, Emptiness::kRefused, problems);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto platform = policy::parse_platform(texts[i]);
    if (platform) {
      platforms.push_back(*platform);
    } else {
      problems.at_value(node.entry(i, node.value),
                        policy::quoted(texts[i]) + " is no platform; write linux/amd64");
    }
  }
  return platforms;
}

void read_spec(const Node& node, RegistryConfig& config, Problems& problems) {
  const auto read_hosts = [&config, &problems](const Node& list) {
    const auto read = [&config, &problems](const Node& entry) {
      RegistryHost host = read_registry(entry, problems);
      const bool twice =
          std::ranges::find(config.hosts, host.host, &RegistryHost::host) != config.hosts.end();
      if (twice) problems.at_value(entry, policy::quoted(host.host) + " is here twice; remove one");
      config.hosts.push_back(std::move(host));
    };
    policy::read_list(list, read, problems);
  };
  const std::array<Field, 4> fields = {
      Field{"allow",
            [&config, &problems](const Node& n) {
              config.allow = policy::read_texts(n, Emptiness::kRefused, problems);
            }},
      Field{
          "platforms",
          [&config, &problems](const Node& n) { config.platforms = read_platforms(n, problems); }},
      Field{"credentials",
            [&config, &problems](const Node& n) {
              config.credential_files = policy::read_texts(n, Emptiness::kAllowed, problems);
            }},
      Field{"registries", read_hosts}};
  policy::read_fields(node, fields, problems);
}

void read_constant(const Node& node, std::string_view wanted, Problems& problems) {
  const auto text = json::as_text(node.value);
  if (text != wanted) problems.at_value(node, "must be " + policy::quoted(wanted));
}

std::vector<policy::Problem> read_document(const documents::Document& document,
                                           RegistryConfig& config) {
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string text(document.json);
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return {{"", false, "cannot be read"}};
  Problems problems;
  const std::array<Field, 4> fields = {
      Field{"apiVersion",
            [&problems](const Node& n) { read_constant(n, kApiVersion, problems); },
            true},
      Field{"kind", [&problems](const Node& n) { read_constant(n, kKind, problems); }, true},
      Field{"metadata", [](const Node&) {}},
      Field{"spec", [&config, &problems](const Node& n) { read_spec(n, config, problems); }, true}};
  policy::read_fields({root, ""}, fields, problems);
  return problems.none() ? std::vector<policy::Problem>() : problems.take();
}

}  // namespace

std::expected<RegistryConfig, std::vector<std::string>> parse_registry_config(
    std::string_view name, std::string_view text) {
  std::vector<std::string> errors;
  const auto complain = [&errors, name](documents::Position at, std::string_view message) {
    errors.push_back(fmt::format("{}:{}:{}: {}", name, at.line, at.column, message));
  };
  const documents::DocumentStream stream = documents::read_documents(text, kLimits);
  for (const documents::DocumentProblem& problem : stream.problems) {
    complain(problem.position, problem.message);
  }
  RegistryConfig config;
  if (stream.documents.size() == 1) {
    const documents::Document& document = stream.documents.front();
    for (const policy::Problem& problem : read_document(document, config)) {
      complain(problem.at_key ? document.positions.of_key(problem.pointer)
                              : document.positions.of_value(problem.pointer),
               problem.message);
    }
  } else if (stream.problems.empty()) {
    complain({}, "must hold one RegistryConfig");
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return config;
}

}  // namespace plimsoll::webhook::registry
