#include "webhook/cluster/access.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "webhook/documents/input_files.h"
#include "webhook/net/client_tls.h"

namespace plimsoll::webhook::cluster {
namespace {

using policy::Error;
using policy::ErrorKind;
using policy::Result;

// Tokens that a kubelet projects are replaced long before they expire.
constexpr std::chrono::seconds kReadAgainAfter{30};

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalidInput, std::move(message)});
}

Result<std::string> text_of(const TextSource& source) {
  if (source.file.empty()) return source.text;
  auto text = documents::read_file(source.file, kMaxAccessFileBytes);
  if (!text) return wrong(source.file + ": " + text.error().message);
  return text;
}

std::string trimmed(std::string text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  std::size_t begin = 0;
  while (begin < text.size() && is_blank(text[begin])) ++begin;
  return text.substr(begin);
}

// A token becomes part of a header.
bool is_header_text(std::string_view text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return false;
  }
  return true;
}

}  // namespace

struct AccessSource::Texts {
  std::string authorities;
  std::string certificate;
  std::string key;
  std::string token;
};

Result<AccessConfig> in_cluster_access(
    const std::function<std::optional<std::string>(const char*)>& environment,
    const std::string& directory) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (!host || host->empty() || !port) {
    return wrong(
        "not in a pod (no KUBERNETES_SERVICE_HOST): name a kubeconfig file with --kubeconfig");
  }
  AccessConfig config;
  const bool ipv6 = host->find(':') != std::string::npos && !host->starts_with("[");
  const auto server = net::parse_url(
      fmt::format(fmt::runtime(ipv6 ? "https://[{}]:{}" : "https://{}:{}"), *host, *port));
  if (!server) {
    return wrong("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name no server: " +
                 server.error());
  }
  config.server = *server;
  config.server.target.clear();
  config.authorities.file = directory + "/ca.crt";
  config.token.file = directory + "/token";
  const auto name_space = documents::read_file(directory + "/namespace", 1024);
  if (name_space) config.name_space = trimmed(*name_space);
  return config;
}

Result<std::unique_ptr<AccessSource>> AccessSource::make(AccessConfig config) {
  std::unique_ptr<AccessSource> source(new AccessSource(std::move(config)));
  const Result<void> read = source->read();
  if (!read) return std::unexpected(read.error());
  return source;
}

// What the program has made counts until it expires, or is refused.
Result<void> AccessSource::run_program(Texts& texts) {
  const auto soon = std::chrono::system_clock::now() + kReadAgainAfter;
  const bool old = made_ && made_->expires && *made_->expires < soon;
  if (!made_ || old) {
    auto made = run_exec(*config_.exec);
    if (!made) return wrong(config_.exec->command + ": " + made.error().message);
    made_ = *std::move(made);
  }
  if (!made_->token.empty()) texts.token = made_->token;
  if (!made_->certificate.empty()) {
    texts.certificate = made_->certificate;
    texts.key = made_->key;
  }
  return {};
}

Result<void> AccessSource::read_texts(Texts& texts) {
  const std::pair<const TextSource*, std::string*> all[] = {
      {&config_.authorities, &texts.authorities},
      {&config_.certificate, &texts.certificate},
      {&config_.key, &texts.key},
      {&config_.token, &texts.token}};
  for (const auto& [source, text] : all) {
    auto read = text_of(*source);
    if (!read) return std::unexpected(read.error());
    *text = *std::move(read);
  }
  return config_.exec ? run_program(texts) : Result<void>();
}

Result<void> AccessSource::read() {
  read_again_at_ = net::Clock::now() + kReadAgainAfter;
  Texts texts;
  const Result<void> done = read_texts(texts);
  if (!done) return done;
  auto access = std::make_shared<Access>();
  access->token = trimmed(std::move(texts.token));
  if (!is_header_text(access->token)) return wrong(config_.token.file + ": this is no token");
  if (!config_.token.empty() && access->token.empty()) {
    return wrong(config_.token.file + ": there is no token in it");
  }
  access->server = config_.server;
  access->trust = {.configured = true, .named = true, .tls = nullptr, .tls_name = config_.tls_name};
  std::string tls_text = texts.authorities + '\0' + texts.certificate + '\0' + texts.key;
  if (access_ != nullptr && tls_text == tls_seen_) {
    access->trust.tls = access_->trust.tls;
  } else {
    const bool own = !config_.authorities.empty();
    auto tls = net::ClientTls::make({texts.authorities, !own, texts.certificate, texts.key});
    if (!tls) return wrong("the API server's authority or our certificate: " + tls.error().message);
    access->trust.tls = *std::move(tls);
    tls_seen_ = std::move(tls_text);
  }
  access_ = std::move(access);
  trouble_.clear();
  return {};
}

std::shared_ptr<const Access> AccessSource::current() {
  // A file that is just being replaced is read the next time.
  if (net::Clock::now() >= read_again_at_) {
    const Result<void> done = read();
    if (!done) trouble_ = done.error().message;
  }
  return access_;
}

}  // namespace plimsoll::webhook::cluster
