#include "webhook/cli/layer_examination.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "policy/size_text.h"
#include "webhook/cli/image_source.h"
#include "webhook/cli/version.h"
#include "webhook/net/http_client.h"
#include "webhook/registry/registry_client.h"

namespace plimsoll::webhook::cli {
namespace {

namespace asio = boost::asio;
using policy::Fact;
using policy::SizeUnits;
using policy::Unknown;
using policy::UnknownReason;

// Each call has an io_context and connections of its own: threads share nothing.
class RegistryLayers final : public LayerSource {
 public:
  RegistryLayers(std::shared_ptr<const registry::Registries> registries,
                 registry::Repository repository)
      : asking_(std::make_shared<const registry::Asking>(
            registry::Asking{std::move(registries), std::move(repository), {}, nullptr})) {}

  Fact<void> stream(const policy::Layer& layer, net::BodySink sink) override {
    asio::io_context io(1);
    const auto proxies = net::ProxySettings::from(&environment_variable);
    net::HttpClientOptions options;
    options.user_agent = "plimsoll/" + std::string(version());
    net::HttpClient http(io, std::move(options), proxies.value_or(net::ProxySettings()));
    registry::RegistryClient client(io, http, {}, nullptr);
    Fact<void> result = std::unexpected(Unknown{UnknownReason::kRegistryError, "it failed"});
    asio::co_spawn(io,
                   client.stream(asking_, layer.digest, std::move(sink)),
                   [&result](const std::exception_ptr& failure, Fact<void> streamed) {
                     if (!failure) result = std::move(streamed);
                   });
    io.run();
    return result;
  }

 private:
  registry::AskingPointer asking_;
};

// Shared by the threads that read layers and the one that shows how far they are.
class Work {
 public:
  Work(const policy::Manifest& manifest, LayerSource& source)
      : manifest_(manifest), source_(source), contents_(manifest.layers.size()) {}

  void run(bool progress) {
    const std::size_t count = std::min<std::size_t>(kLayersAtOnce, manifest_.layers.size());
    std::vector<std::thread> threads;
    running_ = count;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { read_layers(); });
    if (progress) show_progress();
    for (std::thread& thread : threads) thread.join();
    if (progress) std::fputs("\r\x1b[K", stderr);
  }

  std::string error() const { return error_; }
  std::vector<layers::LayerContent> take() { return std::move(contents_); }

 private:
  static bool is_read(const policy::Layer& layer) { return !layer.foreign && layer.is_filesystem; }

  void read_layers() {
    while (true) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= manifest_.layers.size() || failed_) break;
      if (is_read(manifest_.layers[index])) read_layer(index);
      ++done_;
    }
    const std::scoped_lock lock(mutex_);
    --running_;
    ended_.notify_all();
  }

  void read_layer(std::size_t index) {
    const policy::Layer& layer = manifest_.layers[index];
    layers::LayerScan scan;
    const auto sink = [this, &scan](std::string_view piece) {
      bytes_ += piece.size();
      return !failed_ && scan.feed(piece);
    };
    const auto streamed = source_.stream(layer, sink);
    if (!scan.error().empty()) return fail(index, scan.error());
    if (!streamed) return fail(index, policy::unknown_text(streamed.error()));
    if (!scan.finish()) return fail(index, scan.error());
    contents_[index] = scan.take();
  }

  void fail(std::size_t index, const std::string& why) {
    const std::scoped_lock lock(mutex_);
    if (!failed_.exchange(true)) error_ = fmt::format("layer {}: {}", index + 1, why);
  }

  void show_progress() {
    constexpr std::chrono::milliseconds kPeriod{100};
    constexpr std::size_t kWidth = 30;
    std::uint64_t total = 0;
    for (const policy::Layer& layer : manifest_.layers) total += is_read(layer) ? layer.size : 0;
    std::unique_lock lock(mutex_);
    while (running_ > 0) {
      ended_.wait_for(lock, kPeriod);
      const std::uint64_t bytes = std::min<std::uint64_t>(bytes_, total);
      const std::size_t full =
          total == 0 ? kWidth : static_cast<std::size_t>(kWidth * bytes / total);
      const std::string line = fmt::format("\r[{:#<{}}{:-<{}}] {} of {}, {} of {} layers\x1b[K",
                                           "",
                                           full,
                                           "",
                                           kWidth - full,
                                           policy::size_text(bytes, SizeUnits::kBinary),
                                           policy::size_text(total, SizeUnits::kBinary),
                                           std::min(done_.load(), manifest_.layers.size()),
                                           manifest_.layers.size());
      std::fputs(line.c_str(), stderr);
      std::fflush(stderr);
    }
  }

  const policy::Manifest& manifest_;
  LayerSource& source_;
  std::vector<layers::LayerContent> contents_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> done_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
  std::string error_;
};

}  // namespace

std::unique_ptr<LayerSource> registry_layers(std::shared_ptr<const registry::Registries> registries,
                                             registry::Repository repository) {
  return std::make_unique<RegistryLayers>(std::move(registries), std::move(repository));
}

std::expected<Examination, std::string> examine_layers(const policy::Manifest& manifest,
                                                       const policy::ImageConfig& config,
                                                       LayerSource& source,
                                                       bool progress) {
  Work work(manifest, source);
  work.run(progress);
  if (!work.error().empty()) return std::unexpected(work.error());
  const std::vector<layers::LayerContent> contents = work.take();
  Examination examination;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const policy::Layer& layer = manifest.layers[i];
    if (layer.foreign || !layer.is_filesystem) {
      examination.notes.push_back(fmt::format(
          "layer {} was left out: {}",
          i + 1,
          layer.foreign ? "it does not come from the registry" : "it is no part of a file system"));
      continue;
    }
    const bool differs = i < config.diff_ids.size() && config.diff_ids[i] != contents[i].diff_id;
    if (differs) {
      return std::unexpected(
          fmt::format("layer {} is not the one that the configuration names (diff id)", i + 1));
    }
    if (contents[i].truncated) {
      examination.notes.push_back(fmt::format("layer {} has more entries than are read", i + 1));
    }
  }
  examination.report = layers::report_on(contents);
  return examination;
}

}  // namespace plimsoll::webhook::cli
