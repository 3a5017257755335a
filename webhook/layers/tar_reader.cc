#include "webhook/layers/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace plimsoll::webhook::layers {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostSize = std::uint64_t{1} << 53U;

// Where fields stand in a header.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 6};
constexpr Field kPrefix{345, 155};
constexpr std::size_t kSparseExtended = 482;      // of an old GNU sparse header
constexpr std::size_t kSparseExtendedNext = 504;  // of its extension blocks

std::string_view text_of(std::string_view block, Field field) {
  const std::string_view text = block.substr(field.at, field.size);
  return text.substr(0, text.find('\0'));
}

// Octal digits, or base 256 where the first bit is set. Nothing for anything else.
std::optional<std::uint64_t> number_of(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.size);
  if ((static_cast<unsigned char>(text[0]) & 0x80U) != 0) {
    std::uint64_t value = static_cast<unsigned char>(text[0]) & 0x7fU;
    if ((value & 0x40U) != 0) return std::nullopt;  // negative
    for (const char c : text.substr(1)) {
      if (value > (kMostSize >> 4U)) return std::nullopt;
      value = (value << 8U) | static_cast<unsigned char>(c);
    }
    return value;
  }
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\0') break;
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool checksum_fits(std::string_view block) {
  const auto said = number_of(block, kChecksum);
  std::uint64_t sum = 0;
  std::int64_t signed_sum = 0;  // some old writers
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    const char c = own ? ' ' : block[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return said && (*said == sum || std::cmp_equal(*said, signed_sum));
}

// Without what stands before and behind it; nothing where it leads out of the root.
std::optional<std::string> clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

EntryType type_of(char flag) {
  switch (flag) {
    case '\0':
    case '0':
    case '7':
    case 'S':
      return EntryType::kFile;
    case '1':
      return EntryType::kHardLink;
    case '2':
      return EntryType::kSymlink;
    case '5':
      return EntryType::kDirectory;
    default:
      return EntryType::kOther;
  }
}

// Links, devices, directories and pipes: no content follows, whatever size is said.
bool is_header_only(char flag) {
  return flag >= '1' && flag <= '6';
}

}  // namespace

bool TarReader::fail(std::string_view why) {
  if (error_.empty()) error_ = why;
  return false;
}

void TarReader::take_data(std::string_view& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  const std::string_view piece = bytes.substr(0, size);
  bytes.remove_prefix(size);
  left_ -= size;
  offset_ += size;
  if (state_ == State::kExtension) {
    extension_ += piece;
  } else if (told_ && !piece.empty()) {
    visitor_.data(piece);
  }
}

// False: more is needed, or it is wrong.
bool TarReader::take_block(std::string_view& bytes) {
  const std::size_t size = std::min(kBlock - block_.size(), bytes.size());
  block_ += bytes.substr(0, size);
  bytes.remove_prefix(size);
  offset_ += size;
  if (block_.size() < kBlock) return false;
  const bool fine = read_header();
  block_.clear();
  return fine;
}

void TarReader::take_padding(std::string_view& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(padding_, bytes.size()));
  bytes.remove_prefix(size);
  padding_ -= size;
  offset_ += size;
  if (padding_ == 0) state_ = State::kHeader;
}

// What has to be done when the last byte of a content has been taken.
bool TarReader::end_content() {
  if (state_ == State::kExtension && !end_extension()) return false;
  if (state_ == State::kData && told_) visitor_.end_of_entry();
  state_ = padding_ > 0 ? State::kPadding : State::kHeader;
  return true;
}

bool TarReader::feed(std::string_view bytes) {
  while (!bytes.empty() && error_.empty()) {
    switch (state_) {
      case State::kEnd:
        return true;
      case State::kHeader:
      case State::kSparse:
        if (!take_block(bytes)) return error_.empty();
        break;
      case State::kPadding:
        take_padding(bytes);
        break;
      case State::kData:
      case State::kExtension:
        take_data(bytes);
        if (left_ == 0 && !end_content()) return false;
        break;
    }
  }
  return error_.empty();
}

bool TarReader::read_header() {
  if (state_ == State::kSparse) {
    if (block_[kSparseExtendedNext] != 0) return true;
    return begin_entry();
  }
  const bool zero = std::ranges::all_of(block_, [](char c) { return c == '\0'; });
  if (zero) {
    if (++zero_blocks_ == 2) state_ = State::kEnd;
    return true;
  }
  zero_blocks_ = 0;
  if (!checksum_fits(block_)) return fail("a tar header has a wrong checksum");
  const auto size = number_of(block_, kSize);
  if (!size || *size > kMostSize) return fail("a tar header has no usable size");
  const char flag = block_[kType];
  if (flag == 'L' || flag == 'K' || flag == 'x' || flag == 'g') return begin_extension(flag, *size);
  entry_ = {};
  entry_.type = type_of(flag);
  entry_.mode = static_cast<std::uint32_t>(number_of(block_, kMode).value_or(0) & 07777U);
  entry_.size = has_size_ ? pax_size_ : *size;
  std::string path(text_of(block_, kName));
  const bool ustar = text_of(block_, kMagic) == "ustar";
  const std::string_view prefix = ustar ? text_of(block_, kPrefix) : std::string_view();
  if (!prefix.empty()) path = std::string(prefix) + "/" + path;
  entry_.path = long_path_.empty() ? path : long_path_;
  entry_.link = long_link_.empty() ? std::string(text_of(block_, kLink)) : long_link_;
  header_only_ = is_header_only(flag);
  // Only archives older than ustar mark directories by a slash.
  if (flag == '\0' && entry_.path.ends_with('/')) {
    entry_.type = EntryType::kDirectory;
    header_only_ = true;
  }
  if (flag == 'S' && block_[kSparseExtended] != 0) {
    state_ = State::kSparse;
    return true;
  }
  return begin_entry();
}

bool TarReader::begin_entry() {
  if (++count_ > limits_.entries) return fail("it has more entries than are read of a layer");
  if (entry_.path.size() > limits_.path_bytes) return fail("a path in it is longer than 4 KiB");
  left_ = header_only_ ? 0 : entry_.size;
  if (entry_.type != EntryType::kFile) entry_.size = 0;
  padding_ = (kBlock - left_ % kBlock) % kBlock;
  entry_.offset = offset_;
  const auto clean = clean_path(entry_.path);
  told_ = clean.has_value();
  skipped_ += told_ ? 0 : 1;
  long_path_.clear();
  long_link_.clear();
  has_size_ = false;
  extended_ = false;
  if (told_) {
    entry_.path = *clean;
    visitor_.entry(entry_);
    if (left_ == 0) visitor_.end_of_entry();
  }
  state_ = left_ > 0 ? State::kData : State::kHeader;
  return true;
}

bool TarReader::begin_extension(char kind, std::uint64_t size) {
  if (size > limits_.extension_bytes) return fail("an extension header in it is larger than 1 MiB");
  extension_kind_ = kind;
  extended_ = extended_ || kind != 'g';
  extension_.clear();
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  state_ = size > 0 ? State::kExtension : State::kHeader;
  return true;
}

bool TarReader::end_extension() {
  const std::string_view text = std::string_view(extension_).substr(0, extension_.find('\0'));
  if (extension_kind_ == 'L') long_path_ = text;
  if (extension_kind_ == 'K') long_link_ = text;
  return extension_kind_ != 'x' || read_pax(extension_);
}

// "27 path=some/long/path\n", one after the other.
bool TarReader::read_pax(std::string_view records) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto read = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(read.ptr - records.data());
    const bool fine = read.ec == std::errc() && length > digits + 1 && length <= records.size() &&
                      records[digits] == ' ' && records[length - 1] == '\n';
    if (!fine) return fail("a pax header in it is broken");
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    records.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return fail("a pax header in it is broken");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path" || key == "GNU.sparse.name") long_path_ = value;
    if (key == "linkpath") long_link_ = value;
    if (key == "size") {
      const auto size = std::from_chars(value.data(), value.data() + value.size(), pax_size_);
      has_size_ = size.ec == std::errc() && pax_size_ <= kMostSize;
      if (!has_size_) return fail("a pax header in it has no usable size");
    }
  }
  return true;
}

bool TarReader::finish() {
  if (!error_.empty()) return false;
  // Some writers leave the zero blocks out.
  const bool between = state_ == State::kHeader && block_.empty() && !extended_;
  return state_ == State::kEnd || between || fail("it ends in the middle of an entry");
}

}  // namespace plimsoll::webhook::layers
