#include "webhook/net/certificate_files.h"

#include <fstream>
#include <utility>

namespace plimsoll::webhook::net {
namespace {

using policy::Error;
using policy::ErrorKind;

policy::Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::unexpected(Error{ErrorKind::kNotFound, path.string() + ": cannot be opened"});
  }
  std::string text(kMaxPemBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxPemBytes) {
    return std::unexpected(Error{ErrorKind::kTooLarge, path.string() + ": is larger than 64 KiB"});
  }
  return text;
}

}  // namespace

CertificateFiles::CertificateFiles(std::filesystem::path certificate, std::filesystem::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {}

policy::Result<PemPair> CertificateFiles::read() const {
  policy::Result<std::string> certificate = read_file(certificate_);
  if (!certificate) return std::unexpected(certificate.error());
  policy::Result<std::string> key = read_file(key_);
  if (!key) return std::unexpected(key.error());
  return PemPair{std::move(*certificate), std::move(*key)};
}

policy::Result<void> CertificateFiles::adopt(const PemPair& pair) {
  auto tls = make_server_tls(pair);
  if (!tls) {
    Error error = tls.error();
    error.message = certificate_.string() + " and " + key_.string() + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  current_.publish(std::move(*tls));
  return {};
}

policy::Result<void> CertificateFiles::load() {
  const policy::Result<PemPair> pair = read();
  if (!pair) return std::unexpected(pair.error());
  last_seen_ = pair->certificate + pair->key;
  return adopt(*pair);
}

CertificateFiles::Polled CertificateFiles::poll() {
  const policy::Result<PemPair> pair = read();
  const std::string seen = pair ? pair->certificate + pair->key : pair.error().message;
  if (seen == last_seen_) return {};
  last_seen_ = seen;
  const policy::Result<void> adopted = pair ? adopt(*pair) : std::unexpected(pair.error());
  if (!adopted) {
    ++failures_;
    return {Change::kFailed, adopted.error().message};
  }
  ++swaps_;
  return {Change::kSwapped, ""};
}

}  // namespace plimsoll::webhook::net
