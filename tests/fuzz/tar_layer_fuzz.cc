// Layers as they stream from strangers: unpacked, read as tar, and reported on.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "webhook/layers/content_report.h"

namespace layers = plimsoll::webhook::layers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = size > 0 ? 1 + data[0] * 16U : 1;
  layers::LayerScan scan;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!scan.feed(bytes.substr(at, piece))) {
      if (scan.error().empty()) std::abort();
      return 0;
    }
  }
  if (!scan.finish()) return 0;
  std::vector<layers::LayerContent> contents;
  contents.push_back(scan.take());
  contents.push_back(contents.front());  // everything overwritten by itself
  const layers::ContentReport report = layers::report_on(contents);
  if (report.efficiency < 0 || report.efficiency > 1) std::abort();
  if (report.removable_bytes > report.total_bytes) std::abort();
  return 0;
}
