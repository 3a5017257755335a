#include "webhook/cluster/kubeconfig.h"

#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "policy/json.h"
#include "policy/printable.h"
#include "webhook/documents/document.h"
#include "webhook/documents/input_files.h"
#include "webhook/net/base64.h"

namespace plimsoll::webhook::cluster {
namespace {

namespace json = policy::json;
using policy::Error;
using policy::ErrorKind;
using policy::Result;

constexpr documents::DocumentLimits kLimits{.bytes = kMaxAccessFileBytes,
                                            .depth = 32,
                                            .json_bytes = 2 * kMaxAccessFileBytes,
                                            .documents = 1,
                                            .values = 20'000};

std::unexpected<Error> wrong(const std::string& path, const std::string& what) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, path + ": " + what});
}

std::optional<json::Object> member_object(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member ? json::as_object(*member) : std::nullopt;
}

std::string member_text(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  const auto text = member ? json::as_text(*member) : std::nullopt;
  return std::string(text.value_or(""));
}

bool has(const json::Object& object, std::string_view key) {
  const auto member = json::last_member(object, key);
  return member && !member->is_null();
}

// The entry called `name` of the list `list`, and there its member `inside`.
std::optional<json::Object> named(const json::Object& root,
                                  std::string_view list,
                                  std::string_view inside,
                                  std::string_view name) {
  const auto member = json::last_member(root, list);
  const auto entries = member ? json::as_array(*member) : std::nullopt;
  if (!entries) return std::nullopt;
  for (const json::Element element : *entries) {
    const auto entry = json::as_object(element);
    if (entry && member_text(*entry, "name") == name) return member_object(*entry, inside);
  }
  return std::nullopt;
}

class KubeconfigReader {
 public:
  KubeconfigReader(const std::string& path, bool may_run)
      : path_(path), folder_(std::filesystem::path(path).parent_path()), may_run_(may_run) {}

  Result<AccessConfig> read(const json::Object& root, const std::string& context);

 private:
  Result<void> read_cluster(const json::Object& cluster);
  Result<void> read_user(const json::Object& user);
  Result<void> read_exec(const json::Object& user);
  Result<TextSource> source(const json::Object& object, const std::string& field) const;
  std::string file_of(const std::string& name) const {
    return name.empty() ? name : (folder_ / name).string();  // an absolute name stays as it is
  }

  const std::string& path_;
  std::filesystem::path folder_;
  bool may_run_;
  AccessConfig config_;
};

// `field` names a file, `field`-data is the same as base64, and wins.
Result<TextSource> KubeconfigReader::source(const json::Object& object,
                                            const std::string& field) const {
  TextSource source;
  const std::string data = member_text(object, field + "-data");
  if (data.empty()) {
    source.file = file_of(member_text(object, field));
    return source;
  }
  auto text = net::decode_base64(data);
  if (!text) return wrong(path_, field + "-data is not base64");
  source.text = *std::move(text);
  return source;
}

Result<void> KubeconfigReader::read_cluster(const json::Object& cluster) {
  const auto server = net::parse_url(member_text(cluster, "server"));
  if (!server) return wrong(path_, "cluster.server is not a URL: " + server.error());
  if (!server->tls) return wrong(path_, "cluster.server must be https");
  config_.server = *server;
  std::string& prefix = config_.server.target;
  while (prefix.ends_with('/')) prefix.pop_back();
  if (prefix.find('?') != std::string::npos) return wrong(path_, "cluster.server has a query");
  if (has(cluster, "proxy-url")) return wrong(path_, "cluster.proxy-url is not supported");
  const auto skip = json::last_member(cluster, "insecure-skip-tls-verify");
  if (skip && json::as_flag(*skip).value_or(true)) {
    return wrong(path_, "insecure-skip-tls-verify is not supported: name a certificate-authority");
  }
  config_.tls_name = member_text(cluster, "tls-server-name");
  auto authorities = source(cluster, "certificate-authority");
  if (!authorities) return std::unexpected(authorities.error());
  config_.authorities = *std::move(authorities);
  return {};
}

Result<void> KubeconfigReader::read_exec(const json::Object& user) {
  if (!may_run_) {
    return wrong(path_,
                 "user.exec names a program that makes credentials, and such are not run: allow it "
                 "with --allow-exec, or use a token (kubectl create token NAME), a tokenFile or a "
                 "client certificate");
  }
  const auto exec = member_object(user, "exec");
  ExecCommand command;
  if (exec) command.command = member_text(*exec, "command");
  if (command.command.empty()) return wrong(path_, "user.exec.command is missing");
  command.api_version = member_text(*exec, "apiVersion");
  if (command.api_version != "client.authentication.k8s.io/v1" &&
      command.api_version != "client.authentication.k8s.io/v1beta1") {
    return wrong(path_, "user.exec.apiVersion must be client.authentication.k8s.io/v1");
  }
  // A name with a slash counts from the kubeconfig's folder, others are searched in PATH.
  const bool is_path = command.command.find('/') != std::string::npos;
  if (is_path) command.command = file_of(command.command);
  const auto arguments = json::last_member(*exec, "args");
  const auto words = arguments ? json::as_array(*arguments) : std::nullopt;
  if (words) {
    for (const json::Element word : *words) {
      command.arguments.emplace_back(json::as_text(word).value_or(""));
    }
  }
  const auto variables = json::last_member(*exec, "env");
  const auto entries = variables ? json::as_array(*variables) : std::nullopt;
  if (entries) {
    for (const json::Element element : *entries) {
      const auto entry = json::as_object(element);
      if (!entry) continue;
      command.environment.emplace_back(member_text(*entry, "name"), member_text(*entry, "value"));
    }
  }
  config_.exec = std::move(command);
  return {};
}

Result<void> KubeconfigReader::read_user(const json::Object& user) {
  if (has(user, "exec")) return read_exec(user);
  if (has(user, "auth-provider")) {
    return wrong(path_, "user.auth-provider is not supported; use a token or a client certificate");
  }
  if (has(user, "username") || has(user, "password")) {
    return wrong(path_, "user.username and password are not supported; use a token");
  }
  for (const auto& [field, target] : {std::pair{"client-certificate", &config_.certificate},
                                      std::pair{"client-key", &config_.key}}) {
    auto found = source(user, field);
    if (!found) return std::unexpected(found.error());
    *target = *std::move(found);
  }
  if (config_.certificate.empty() != config_.key.empty()) {
    return wrong(path_, "user.client-certificate and user.client-key belong together");
  }
  config_.token.file = file_of(member_text(user, "tokenFile"));
  if (config_.token.file.empty()) config_.token.text = member_text(user, "token");
  return {};
}

Result<AccessConfig> KubeconfigReader::read(const json::Object& root, const std::string& context) {
  const std::string name = context.empty() ? member_text(root, "current-context") : context;
  if (name.empty()) return wrong(path_, "it has no current-context; name one with --context");
  const auto chosen = named(root, "contexts", "context", name);
  if (!chosen) return wrong(path_, "there is no context " + policy::quoted(name) + " in it");
  const std::string cluster_name = member_text(*chosen, "cluster");
  const auto cluster = named(root, "clusters", "cluster", cluster_name);
  if (!cluster)
    return wrong(path_, "there is no cluster " + policy::quoted(cluster_name) + " in it");
  const std::string user_name = member_text(*chosen, "user");
  const auto user = named(root, "users", "user", user_name);
  if (!user) return wrong(path_, "there is no user " + policy::quoted(user_name) + " in it");
  config_.name_space = member_text(*chosen, "namespace");
  Result<void> done = read_cluster(*cluster);
  if (done) done = read_user(*user);
  if (!done) return std::unexpected(done.error());
  return config_;
}

}  // namespace

Result<AccessConfig> kubeconfig_access(const std::string& path,
                                       const std::string& context,
                                       bool may_run) {
  const auto text = documents::read_file(path, kMaxAccessFileBytes);
  if (!text) return wrong(path, text.error().message);
  return read_kubeconfig(path, *text, context, may_run);
}

Result<AccessConfig> read_kubeconfig(const std::string& path,
                                     const std::string& text,
                                     const std::string& context,
                                     bool may_run) {
  const documents::DocumentStream stream = documents::read_documents(text, kLimits);
  if (!stream.problems.empty()) {
    const documents::DocumentProblem& first = stream.problems.front();
    return wrong(fmt::format("{}:{}:{}", path, first.position.line, first.position.column),
                 first.message);
  }
  if (stream.documents.empty()) return wrong(path, "it is empty");
  json::Parser parser;
  json::Element root;
  const simdjson::padded_string padded(stream.documents.front().json);
  const bool parsed = parser.parse(padded).get(root) == simdjson::SUCCESS;
  const auto object = parsed ? json::as_object(root) : std::nullopt;
  if (!object) return wrong(path, "this is no kubeconfig");
  return KubeconfigReader(path, may_run).read(*object, context);
}

}  // namespace plimsoll::webhook::cluster
