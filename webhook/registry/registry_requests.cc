#include <memory>
#include <utility>

#include "webhook/registry/digest.h"
#include "webhook/registry/manifest_reader.h"
#include "webhook/registry/registry_call.h"

namespace plimsoll::webhook::registry {
namespace {

namespace asio = boost::asio;
using policy::Fact;
using policy::Unknown;
using policy::UnknownReason;

constexpr unsigned kManifestRedirects = 3;
constexpr unsigned kBlobRedirects = 5;

std::unexpected<Unknown> refused(UnknownReason reason, std::string detail = "") {
  return std::unexpected(Unknown{reason, std::move(detail)});
}

}  // namespace

asio::awaitable<Fact<ServedManifest>> RegistryClient::head(AskingPointer asking,
                                                           std::string reference) {
  Call call{.operation = "HEAD manifest",
            .method = "HEAD",
            .below = "manifests/" + reference,
            .accept = std::string(kAcceptedManifests),
            .limit = kMaxManifestBytes,
            .redirects = kManifestRedirects,
            .sink = {}};
  const auto answer = co_await this->call(asking, std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return ServedManifest{std::string(answer->header("docker-content-digest")),
                           std::string(answer->header("content-type")),
                           ""};
}

asio::awaitable<Fact<ServedManifest>> RegistryClient::manifest(AskingPointer asking,
                                                               std::string reference) {
  Call call{.operation = "GET manifest",
            .below = "manifests/" + reference,
            .accept = std::string(kAcceptedManifests),
            .limit = kMaxManifestBytes,
            .redirects = kManifestRedirects,
            .sink = {}};
  auto answer = co_await this->call(asking, std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  ServedManifest manifest;
  manifest.content_type = answer->header("content-type");
  manifest.bytes = std::move(answer->body);
  const bool by_digest = reference.find(':') != std::string::npos;
  const std::string_view said = answer->header("docker-content-digest");
  manifest.digest = by_digest ? reference : sha256_of(manifest.bytes);
  const bool differs = by_digest ? !has_digest(manifest.bytes, reference)
                                 : said.starts_with("sha256:") && said != manifest.digest;
  if (differs) co_return refused(UnknownReason::kDigestMismatch, asking->repository.text());
  co_return manifest;
}

asio::awaitable<Fact<std::string>> RegistryClient::blob(AskingPointer asking,
                                                        std::string digest,
                                                        std::uint64_t limit) {
  Call call{.operation = "GET blob",
            .below = "blobs/" + digest,
            .accept = "*/*",
            .limit = limit,
            .redirects = kBlobRedirects,
            .sink = {}};
  auto answer = co_await this->call(asking, std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  if (!has_digest(answer->body, digest)) {
    co_return refused(UnknownReason::kDigestMismatch, asking->repository.text());
  }
  co_return std::move(answer->body);
}

asio::awaitable<Fact<void>> RegistryClient::stream(AskingPointer asking,
                                                   std::string digest,
                                                   net::BodySink sink) {
  const auto hasher = std::make_shared<Hasher>(kind_of_digest(digest));
  Call call{.operation = "GET blob",
            .below = "blobs/" + digest,
            .accept = "*/*",
            .limit = std::uint64_t{1} << 53U,
            .redirects = kBlobRedirects,
            .sink = {}};
  call.sink = [hasher, sink = std::move(sink)](std::string_view piece) {
    hasher->add(piece);
    return sink(piece);
  };
  const auto answer = co_await this->call(asking, std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  if (hasher->digest() != digest) {
    co_return refused(UnknownReason::kDigestMismatch, asking->repository.text());
  }
  co_return Fact<void>();
}

}  // namespace plimsoll::webhook::registry
