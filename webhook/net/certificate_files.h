// A serving certificate that is kept in two files: polled, swapped as a pair, the old one kept on
// any error.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "policy/result.h"
#include "webhook/net/snapshot.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {

// Files are read whole and compared by content, so that symlink swaps of mounted Secrets count.
// `load` and `poll` are called from one thread; the rest from any.
class CertificateFiles {
 public:
  CertificateFiles(std::filesystem::path certificate, std::filesystem::path key);

  // Reads the pair for the first time.
  policy::Result<void> load();

  enum class Change : std::uint8_t { kNone, kSwapped, kFailed };
  struct Polled {
    Change change = Change::kNone;
    std::string message;  // why it failed; only the first time for the same content
  };
  Polled poll();

  const Snapshot<TlsContext>& current() const { return current_; }
  std::uint64_t failures() const { return failures_; }
  std::uint64_t swaps() const { return swaps_; }

 private:
  policy::Result<PemPair> read() const;
  policy::Result<void> adopt(const PemPair& pair);

  std::filesystem::path certificate_;
  std::filesystem::path key_;
  Snapshot<TlsContext> current_;
  std::string last_seen_;  // what was read last, good or bad
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> swaps_ = 0;
};

}  // namespace plimsoll::webhook::net
