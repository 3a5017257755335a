// Unpacks the stream of a layer as it comes: gzip, zstd, or nothing to unpack.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace plimsoll::webhook::layers {

// Takes a piece of the unpacked stream; false: something is wrong, no more is wanted.
using Sink = std::function<bool(std::string_view piece)>;

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

// Told by the first bytes (RFC 1952, RFC 8878). Streams of several members or frames are one.
class Decompressor {
 public:
  // More than `most_bytes` unpacked is an error.
  explicit Decompressor(std::uint64_t most_bytes);
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  // False: see error(); or the sink wanted no more.
  bool feed(std::string_view chunk, const Sink& sink);
  // At the end of the input. False where it ended in the middle.
  bool finish(const Sink& sink);

  Compression compression() const { return compression_; }
  const std::string& error() const { return error_; }

 private:
  struct Gzip;
  struct Zstd;

  bool begin(const Sink& sink);
  bool unpack(std::string_view chunk, const Sink& sink);
  bool unpack_gzip(std::string_view chunk, const Sink& sink);
  bool unpack_zstd(std::string_view chunk, const Sink& sink);
  bool pass_on(std::string_view piece, const Sink& sink);
  bool fail(std::string_view why);

  std::uint64_t left_;
  Compression compression_ = Compression::kNone;
  bool begun_ = false;
  std::string head_;  // until enough is there to tell
  std::unique_ptr<Gzip> gzip_;
  std::unique_ptr<Zstd> zstd_;
  std::string room_;
  std::string error_;
};

}  // namespace plimsoll::webhook::layers
