#include "webhook/layers/decompress.h"

#include <zlib.h>
#include <zstd.h>

namespace plimsoll::webhook::layers {
namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kRoomBytes = 128 * 1024;
constexpr int kGzipWindow = 15 + 16;  // the largest window, with gzip's frame
constexpr int kMaxZstdWindow = 27;    // 128 MiB, as container runtimes allow

Compression compression_of(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return Compression::kGzip;
  if (head.starts_with("\x28\xb5\x2f\xfd")) return Compression::kZstd;
  const bool skippable = head.size() >= kMagicBytes && (head[0] & '\xf0') == '\x50' &&
                         head.substr(1, 3) == "\x2a\x4d\x18";
  return skippable ? Compression::kZstd : Compression::kNone;
}

}  // namespace

struct Decompressor::Gzip {
  z_stream stream{};
  bool in_member = true;
  bool ended = false;  // what follows is not gzip, and is left alone
  Gzip() { inflateInit2(&stream, kGzipWindow); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() { inflateEnd(&stream); }
};

struct Decompressor::Zstd {
  ZSTD_DStream* stream = ZSTD_createDStream();
  bool in_frame = false;
  Zstd() { ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, kMaxZstdWindow); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
  ~Zstd() { ZSTD_freeDStream(stream); }
};

Decompressor::Decompressor(std::uint64_t most_bytes) : left_(most_bytes), room_(kRoomBytes, '\0') {}
Decompressor::~Decompressor() = default;

bool Decompressor::fail(std::string_view why) {
  if (error_.empty()) error_ = why;
  return false;
}

bool Decompressor::pass_on(std::string_view piece, const Sink& sink) {
  if (piece.size() > left_) return fail("it unpacks to more than is read of a layer");
  left_ -= piece.size();
  return sink(piece);
}

bool Decompressor::feed(std::string_view chunk, const Sink& sink) {
  if (!error_.empty()) return false;
  if (begun_) return unpack(chunk, sink);
  head_ += chunk;
  return head_.size() < kMagicBytes || begin(sink);
}

bool Decompressor::begin(const Sink& sink) {
  begun_ = true;
  compression_ = compression_of(head_);
  if (compression_ == Compression::kGzip) gzip_ = std::make_unique<Gzip>();
  if (compression_ == Compression::kZstd) zstd_ = std::make_unique<Zstd>();
  const std::string head = std::move(head_);
  return unpack(head, sink);
}

bool Decompressor::unpack(std::string_view chunk, const Sink& sink) {
  if (gzip_) return unpack_gzip(chunk, sink);
  if (zstd_) return unpack_zstd(chunk, sink);
  return pass_on(chunk, sink);
}

bool Decompressor::unpack_gzip(std::string_view chunk, const Sink& sink) {
  z_stream& stream = gzip_->stream;
  // zlib does not write through next_in; its type is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(chunk.size());
  while (stream.avail_in > 0 && !gzip_->ended) {
    if (!gzip_->in_member) {
      if (*stream.next_in != 0x1f) {
        gzip_->ended = true;
        break;
      }
      inflateReset(&stream);
      gzip_->in_member = true;
    }
    int result = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(room_.data());
      stream.avail_out = static_cast<uInt>(room_.size());
      result = inflate(&stream, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return fail("its gzip stream is broken");
      }
      const std::size_t made = room_.size() - stream.avail_out;
      if (made > 0 && !pass_on(std::string_view(room_).substr(0, made), sink)) return false;
    } while (result == Z_OK && stream.avail_out == 0);
    if (result == Z_STREAM_END) gzip_->in_member = false;
    if (result == Z_BUF_ERROR) break;
  }
  return true;
}

bool Decompressor::unpack_zstd(std::string_view chunk, const Sink& sink) {
  ZSTD_inBuffer in{chunk.data(), chunk.size(), 0};
  bool more = true;
  while (in.pos < in.size || more) {
    ZSTD_outBuffer out{room_.data(), room_.size(), 0};
    const std::size_t before = in.pos;
    const std::size_t result = ZSTD_decompressStream(zstd_->stream, &out, &in);
    if (ZSTD_isError(result) != 0) return fail("its zstd stream is broken");
    // Called once more only to empty its buffers, zstd asks for the next frame: that is none yet.
    const bool asks_for_next = !zstd_->in_frame && in.pos == in.size && before == in.pos;
    if (!asks_for_next) zstd_->in_frame = result != 0;
    if (out.pos > 0 && !pass_on(std::string_view(room_).substr(0, out.pos), sink)) return false;
    more = out.pos == out.size;
  }
  return true;
}

bool Decompressor::finish(const Sink& sink) {
  if (!error_.empty()) return false;
  if (!begun_ && !begin(sink)) return false;
  const bool cut = (gzip_ && gzip_->in_member) || (zstd_ && zstd_->in_frame);
  return !cut || fail("its compressed stream ends too early");
}

}  // namespace plimsoll::webhook::layers
