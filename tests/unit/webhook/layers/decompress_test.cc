#include "webhook/layers/decompress.h"

#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

namespace plimsoll::webhook::layers {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string unpacked(const std::string& packed,
                     std::size_t piece = 1 << 20,
                     std::uint64_t most = 1 << 24) {
  std::string text;
  Decompressor decompressor(most);
  const Sink sink = [&text](std::string_view part) {
    text += part;
    return true;
  };
  for (std::size_t at = 0; at < packed.size(); at += piece) {
    if (!decompressor.feed(std::string_view(packed).substr(at, piece), sink)) break;
  }
  return decompressor.finish(sink) ? text : "error: " + decompressor.error();
}

TEST(Decompress, EveryFormInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + "\n";
  const std::string skippable = std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  for (const std::string& packed : {text, gzip(text), zstd(text), skippable + zstd(text)}) {
    for (const std::size_t piece : {1U, 13U, 4096U, 1U << 20U}) {
      EXPECT_TRUE(unpacked(packed, piece) == text) << piece;
    }
  }
  EXPECT_TRUE(unpacked(gzip(text) + gzip("more")) == text + "more") << "several members";
  EXPECT_TRUE(unpacked(zstd(text) + zstd("more")) == text + "more") << "several frames";
  EXPECT_TRUE(unpacked(gzip(text) + "trailing") == text) << "as gzip itself does";
  EXPECT_EQ(unpacked(""), "");
  EXPECT_EQ(unpacked("ab"), "ab");
}

// What comes out fills the buffer to its end just where the frame ends.
TEST(Decompress, SizesThatAreMultiplesOfTheBuffer) {
  for (const std::size_t size : {128U << 10U, 256U << 10U, 1U << 20U}) {
    std::string text;
    while (text.size() < size) text += std::to_string(text.size() * 7919) + "\n";
    text.resize(size);
    for (const std::size_t piece : {13U, 4096U, 1U << 20U}) {
      EXPECT_TRUE(unpacked(zstd(text), piece) == text) << size << " " << piece;
      EXPECT_TRUE(unpacked(zstd(text) + zstd(text), piece) == text + text) << size << " " << piece;
      EXPECT_TRUE(unpacked(gzip(text), piece) == text) << size << " " << piece;
    }
    const std::string packed = zstd(text);
    EXPECT_EQ(unpacked(packed.substr(0, packed.size() - 1)),
              "error: its compressed stream ends too early");
  }
}

TEST(Decompress, BadOnesAreErrors) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(unpacked(gzip(text).substr(0, 60)), "error: its compressed stream ends too early");
  EXPECT_EQ(unpacked(zstd(text).substr(0, 12)), "error: its compressed stream ends too early");
  std::string broken = gzip(text);
  broken[20] = static_cast<char>(~broken[20]);
  broken[25] = static_cast<char>(~broken[25]);
  EXPECT_EQ(unpacked(broken).substr(0, 5), "error");
  EXPECT_EQ(unpacked(zstd(text) + "no frame"), "error: its zstd stream is broken");
  EXPECT_EQ(unpacked(gzip(text), 1 << 20, 50'000),
            "error: it unpacks to more than is read of a layer");
  EXPECT_EQ(unpacked(zstd(text), 1 << 20, 50'000),
            "error: it unpacks to more than is read of a layer");
  EXPECT_EQ(unpacked(text, 1 << 20, 50'000), "error: it unpacks to more than is read of a layer");
}

}  // namespace
}  // namespace plimsoll::webhook::layers
