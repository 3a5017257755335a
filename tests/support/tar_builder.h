// Makes tar archives for tests, right ones and wrong ones.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace plimsoll::webhook::layers {

class TarBuilder {
 public:
  TarBuilder& file(std::string_view path, std::string_view content, unsigned mode = 0644) {
    add(path, '0', content, "", mode);
    return *this;
  }
  TarBuilder& directory(std::string_view path) {
    add(std::string(path) + "/", '5', "", "", 0755);
    return *this;
  }
  TarBuilder& symlink(std::string_view path, std::string_view to) {
    add(path, '2', "", to, 0777);
    return *this;
  }
  TarBuilder& hard_link(std::string_view path, std::string_view to) {
    add(path, '1', "", to, 0644);
    return *this;
  }
  TarBuilder& extension(char kind, std::string_view content) {
    add("././@LongLink", kind, content, "", 0644);
    return *this;
  }
  static std::string pax(std::string_view key, std::string_view value) {
    const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) ++length;
    return std::to_string(length) + rest;
  }
  TarBuilder& raw(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }

  std::string unfinished() const { return out_; }
  std::string done() const { return out_ + std::string(1024, '\0'); }

  static std::string header(std::string_view path,
                            char type,
                            std::size_t size,
                            std::string_view link = "",
                            unsigned mode = 0644) {
    std::string block(512, '\0');
    block.replace(0, std::min<std::size_t>(path.size(), 100), path.substr(0, 100));
    put_octal(block, 100, 7, mode);
    put_octal(block, 124, 11, size);
    block[156] = type;
    block.replace(157, std::min<std::size_t>(link.size(), 100), link.substr(0, 100));
    block.replace(257, 8, std::string("ustar\0", 6) + "00");
    return with_checksum(std::move(block));
  }
  static std::string with_checksum(std::string block) {
    block.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put_octal(block, 148, 6, sum);
    block[154] = '\0';
    return block;
  }

 private:
  void add(std::string_view path,
           char type,
           std::string_view content,
           std::string_view link,
           unsigned mode) {
    out_ += header(path, type, content.size(), link, mode);
    out_ += content;
    out_ += std::string((512 - content.size() % 512) % 512, '\0');
  }
  static void put_octal(std::string& block, std::size_t at, int digits, std::size_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*zo", digits, value);
    block.replace(at, static_cast<std::size_t>(digits), text, static_cast<std::size_t>(digits));
  }

  std::string out_;
};

}  // namespace plimsoll::webhook::layers
