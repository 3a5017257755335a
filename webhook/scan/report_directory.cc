#include "webhook/scan/report_directory.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "policy/printable.h"
#include "webhook/scan/report_file.h"

namespace plimsoll::webhook::scan {
namespace {

constexpr std::chrono::minutes kTryAgain{1};
constexpr std::size_t kPathRunes = 512;

bool is_below(const std::string& path, const std::vector<std::string>& directories) {
  return std::ranges::any_of(directories, [&path](const std::string& directory) {
    return path.starts_with(directory + "/");
  });
}

}  // namespace

ReportDirectory::ReportDirectory(std::string name, std::string path)
    : name_(std::move(name)),
      path_(std::move(path)),
      index_(std::make_shared<const ReportIndex>()) {}

std::chrono::sys_seconds ReportDirectory::wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// True if what the file says has changed.
bool ReportDirectory::read(const std::string& path, std::chrono::sys_seconds now, File& file) {
  auto content = read_report_file(path, kMaxReportBytes);
  if (content) file.stamp = std::move(content->stamp);
  const std::string digest = digest_of_file_name(std::filesystem::path(path).filename().string());
  auto items = content ? read_report(content->text, {digest, now})
                       : std::unexpected(std::move(content).error());
  if (!items) {
    file.error = std::move(items).error();
    return false;
  }
  file.error.clear();
  file.entries.clear();
  for (ReportItem& item : *items) file.entries.push_back(entry_of(std::move(item), name_));
  return true;
}

bool ReportDirectory::look_at(const std::string& path, std::chrono::sys_seconds now) {
  File& file = files_[path];
  file.seen = true;
  const auto stamp = stamp_of(path);
  const bool same = stamp && *stamp == file.stamp;
  const bool again = !file.error.empty() && now - file.read_at >= kTryAgain;
  if (same && !again) return false;
  const std::string before = file.error;
  file.stamp = stamp.value_or("");
  file.read_at = now;
  bool changed = false;
  if (stamp) {
    changed = read(path, now, file);
  } else {
    file.error = stamp.error();
  }
  const bool told = file.error == before && (same || !stamp);
  if (!file.error.empty() && !told) failures_.fetch_add(1, std::memory_order_relaxed);
  return changed;
}

bool ReportDirectory::drop_gone(const std::vector<std::string>& unlisted) {
  bool changed = false;
  for (auto at = files_.begin(); at != files_.end();) {
    const bool keep = at->second.seen || is_below(at->first, unlisted);
    changed = changed || (!keep && !at->second.entries.empty());
    at = keep ? std::next(at) : files_.erase(at);
  }
  return changed;
}

void ReportDirectory::publish(std::chrono::sys_seconds now) {
  auto index = std::make_shared<ReportIndex>();
  for (const auto& [path, file] : files_) {
    for (const ReportEntry& entry : file.entries) index->add(entry);
  }
  next_expiry_ = index->next_expiry(now);
  item_count_.store(index->items(), std::memory_order_relaxed);
  index_.publish(std::move(index));
  revision_.fetch_add(1, std::memory_order_relaxed);
}

void ReportDirectory::tell_errors(const std::vector<std::string>& unlisted, bool too_many) {
  std::vector<std::string> errors;
  for (const std::string& directory : unlisted) {
    errors.push_back(policy::printable(directory, kPathRunes) + ": the directory cannot be listed");
  }
  if (too_many) {
    errors.push_back(policy::printable(path_, kPathRunes) +
                     ": more than 10,000 reports; the rest is not read");
  }
  std::size_t left_out = 0;
  for (const auto& [path, file] : files_) {
    if (file.error.empty()) continue;
    if (errors.size() >= kMaxReportErrors - 1) {
      ++left_out;
    } else {
      errors.push_back(policy::printable(path, kPathRunes) + ": " +
                       policy::printable(file.error, kPathRunes));
    }
  }
  if (left_out > 0) errors.push_back("and " + std::to_string(left_out) + " more");
  file_count_.store(files_.size(), std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  errors_ = std::move(errors);
}

void ReportDirectory::poll(std::chrono::sys_seconds now) {
  const ReportListing listing = list_reports(path_, kMaxReportFiles);
  bool changed = next_expiry_ && *next_expiry_ <= now;
  for (auto& [path, file] : files_) file.seen = false;
  for (const std::string& path : listing.paths) changed = look_at(path, now) || changed;
  changed = drop_gone(listing.unlisted) || changed;
  if (changed) publish(now);
  tell_errors(listing.unlisted, listing.too_many);
}

VerdictPointer ReportDirectory::find(const ScanSubject& subject) const {
  const std::shared_ptr<const ReportIndex> index = index_.read();
  const std::chrono::sys_seconds now = wall_clock();
  const std::span<const std::string_view> whole(&subject.index_digest, 1);
  for (const auto& digests : {whole, subject.manifest_digests, subject.config_digests}) {
    VerdictPointer verdict = index->find(digests, now);
    if (verdict != nullptr) return verdict;
  }
  return index->find_reference(subject.reference, now);
}

std::vector<std::string> ReportDirectory::errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

}  // namespace plimsoll::webhook::scan
