// Reads tar as it streams by: ustar, GNU and pax (POSIX.1-2017 pax; GNU tar manual, "Basic Tar").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace plimsoll::webhook::layers {

enum class EntryType : std::uint8_t { kFile, kHardLink, kSymlink, kDirectory, kOther };

struct TarEntry {
  std::string path;  // without "./" and "/" before it and "/" behind it; "" for the root
  std::string link;  // of links: as written
  EntryType type = EntryType::kFile;
  std::uint64_t size = 0;  // of the content that follows; 0 for all but files
  std::uint32_t mode = 0;
  std::uint64_t offset = 0;  // where the content begins, in the stream
};

class TarVisitor {
 public:
  TarVisitor() = default;
  TarVisitor(const TarVisitor&) = delete;
  TarVisitor& operator=(const TarVisitor&) = delete;
  virtual ~TarVisitor() = default;

  // Paths with ".." in them are not told: no runtime unpacks them.
  virtual void entry(const TarEntry& entry) = 0;
  // Pieces of the content of the last entry, in order.
  virtual void data(std::string_view piece) = 0;
  virtual void end_of_entry() = 0;
};

struct TarLimits {
  std::size_t path_bytes = 4096;
  std::size_t extension_bytes = 1u << 20U;  // of one pax or GNU extension
  std::uint64_t entries = 5'000'000;
};

class TarReader {
 public:
  explicit TarReader(TarVisitor& visitor, TarLimits limits = {})
      : visitor_(visitor), limits_(limits) {}

  // False: see error().
  bool feed(std::string_view bytes);
  // At the end of the input.
  bool finish();

  const std::string& error() const { return error_; }
  std::uint64_t skipped() const { return skipped_; }  // entries whose path leads out

 private:
  enum class State : std::uint8_t { kHeader, kData, kExtension, kSparse, kPadding, kEnd };

  bool take_block(std::string_view& bytes);
  void take_padding(std::string_view& bytes);
  bool end_content();
  bool read_header();
  bool begin_extension(char kind, std::uint64_t size);
  bool end_extension();
  bool read_pax(std::string_view records);
  bool begin_entry();
  void take_data(std::string_view& bytes);
  bool fail(std::string_view why);

  TarVisitor& visitor_;
  TarLimits limits_;
  State state_ = State::kHeader;
  std::string block_;
  std::uint64_t offset_ = 0;   // of the next byte in the stream
  std::uint64_t left_ = 0;     // of the content or the extension
  std::uint64_t padding_ = 0;  // behind it
  std::uint64_t count_ = 0;
  std::uint64_t skipped_ = 0;
  unsigned zero_blocks_ = 0;
  bool told_ = false;  // the visitor knows the entry
  bool header_only_ = false;
  bool extended_ = false;  // an extension was read, and the entry it speaks of was not
  char extension_kind_ = 0;
  std::string extension_;
  // What extensions say of the next entry.
  std::string long_path_;
  std::string long_link_;
  bool has_size_ = false;
  std::uint64_t pax_size_ = 0;
  TarEntry entry_;
  std::string error_;
};

}  // namespace plimsoll::webhook::layers
