#include "webhook/net/polled_files.h"

#include <fstream>
#include <utility>

#include "webhook/net/tls.h"

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

PolledFiles::PolledFiles(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)) {}

policy::Result<std::vector<std::string>> PolledFiles::read() const {
  std::vector<std::string> texts;
  for (const std::filesystem::path& path : paths_) {
    policy::Result<std::string> text = read_file(path);
    if (!text) return std::unexpected(text.error());
    texts.push_back(std::move(*text));
  }
  return texts;
}

policy::Result<void> PolledFiles::adopt_named(const std::vector<std::string>& texts) {
  policy::Result<void> adopted = adopt(texts);
  if (adopted) return adopted;
  std::string names;
  for (const std::filesystem::path& path : paths_) {
    names += (names.empty() ? "" : " and ") + path.string();
  }
  Error error = adopted.error();
  error.message = names + ": " + error.message;
  return std::unexpected(std::move(error));
}

policy::Result<void> PolledFiles::load() {
  const policy::Result<std::vector<std::string>> texts = read();
  if (!texts) return std::unexpected(texts.error());
  last_seen_ = *texts;
  return adopt_named(*texts);
}

PolledFiles::Polled PolledFiles::poll() {
  const policy::Result<std::vector<std::string>> texts = read();
  const std::vector<std::string> seen = texts ? *texts : std::vector{texts.error().message};
  if (seen == last_seen_) return {};
  last_seen_ = seen;
  const policy::Result<void> adopted = texts ? adopt_named(*texts) : std::unexpected(texts.error());
  if (!adopted) {
    ++failures_;
    return {Change::kFailed, adopted.error().message};
  }
  ++swaps_;
  return {Change::kSwapped, ""};
}

}  // namespace plimsoll::webhook::net
