#include "webhook/cli/content_output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "policy/printable.h"
#include "policy/size_text.h"

namespace plimsoll::webhook::cli {
namespace {

using policy::SizeUnits;
using Json = nlohmann::ordered_json;

constexpr std::size_t kShown = 8;  // of each list, for people
constexpr std::size_t kPathRunes = 512;

std::string size(std::uint64_t bytes) {
  return policy::size_text(bytes, SizeUnits::kBinary);
}

std::string shown(const std::string& path) {
  return policy::printable(path, kPathRunes);
}

void heading(std::string& text, std::string_view name, std::size_t count) {
  text += fmt::format(
      "    {}{}\n", name, count > kShown ? fmt::format(" (the largest {} of them)", kShown) : "");
}

template <class List, class Line>
void section(std::string& text, std::string_view name, const List& list, Line line) {
  if (list.empty()) return;
  heading(text, name, list.size());
  for (std::size_t i = 0; i < std::min(kShown, list.size()); ++i) text += line(list[i]);
}

std::string row(std::uint64_t bytes, const std::string& what) {
  return fmt::format("    {:>12}  {}\n", size(bytes), what);
}

Json paths_json(const std::vector<layers::SizedPath>& paths, const char* layer_key) {
  Json list = Json::array();
  for (const layers::SizedPath& path : paths) {
    list.push_back({{"path", shown(path.path)}, {"bytes", path.bytes}, {layer_key, path.layers}});
  }
  return list;
}

Json named_json(const std::vector<layers::NamedBytes>& names) {
  Json list = Json::array();
  for (const layers::NamedBytes& name : names) {
    list.push_back({{"name", name.name}, {"bytes", name.bytes}, {"layer", name.layer}});
  }
  return list;
}

}  // namespace

std::string content_as_text(const Examination& examination) {
  const layers::ContentReport& report = examination.report;
  std::string text = fmt::format(
      "  content    {} unpacked; efficiency {:.1f} %, {} wasted (as dive counts); {} could be "
      "removed\n",
      size(report.total_bytes),
      100 * report.efficiency,
      size(report.wasted_bytes),
      size(report.removable_bytes));
  for (const layers::PackageCount& count : report.packages) {
    text += fmt::format("  packages   {} ({})\n", count.packages, count.kind);
  }
  if (report.has_rpm_database) text += "  packages   an rpm database, which is not counted\n";
  section(text, "overwritten or removed later", report.wasted_paths, [](const auto& path) {
    return row(path.bytes, shown(path.path));
  });
  section(text, "the same content twice", report.duplicates, [](const auto& group) {
    return row(group.wasted(),
               shown(group.paths[0]) + " = " + shown(group.paths[1]) +
                   (group.paths.size() > 2 ? ", ..." : ""));
  });
  section(text, "caches and documentation", report.caches, [](const auto& cache) {
    return row(cache.bytes, fmt::format("{}, layer {}", cache.name, cache.layer + 1));
  });
  section(text, "build tools", report.build_tools, [](const auto& tool) {
    return row(tool.bytes, fmt::format("{}, layer {}", tool.name, tool.layer + 1));
  });
  section(text, "large files", report.large_files, [](const auto& file) {
    return row(file.bytes, fmt::format("{}, layer {}", shown(file.path), file.layers + 1));
  });
  if (report.setuid_files > 0) {
    text += fmt::format("    {} set-user-id or set-group-id files: {}{}\n",
                        report.setuid_files,
                        shown(report.setuid_paths[0]),
                        report.setuid_files > 1 ? ", ..." : "");
  }
  for (const std::string& note : examination.notes) text += fmt::format("    note: {}\n", note);
  return text;
}

nlohmann::ordered_json content_as_json(const Examination& examination) {
  const layers::ContentReport& report = examination.report;
  Json json;
  json["totalBytes"] = report.total_bytes;
  json["efficiency"] = report.efficiency;
  json["wastedBytes"] = report.wasted_bytes;
  json["removableBytes"] = report.removable_bytes;
  json["removable"] = paths_json(report.wasted_paths, "layers");
  json["layers"] = Json::array();
  for (const layers::LayerSummary& layer : report.layers) {
    json["layers"].push_back({{"tarBytes", layer.tar_bytes},
                              {"fileBytes", layer.file_bytes},
                              {"files", layer.files},
                              {"removedBytes", layer.removed_bytes},
                              {"diffId", layer.diff_id}});
  }
  json["duplicateBytes"] = report.duplicate_bytes;
  json["duplicates"] = Json::array();
  for (const layers::DuplicateGroup& group : report.duplicates) {
    Json paths = Json::array();
    for (const std::string& path : group.paths) paths.push_back(shown(path));
    json["duplicates"].push_back({{"bytes", group.bytes}, {"paths", std::move(paths)}});
  }
  json["caches"] = named_json(report.caches);
  json["buildTools"] = named_json(report.build_tools);
  json["packages"] = Json::object();
  for (const layers::PackageCount& count : report.packages) {
    json["packages"][count.kind] = count.packages;
  }
  json["rpmDatabase"] = report.has_rpm_database;
  json["largeFiles"] = paths_json(report.large_files, "layer");
  json["setuidFiles"] = report.setuid_files;
  json["notes"] = examination.notes;
  return json;
}

}  // namespace plimsoll::webhook::cli
