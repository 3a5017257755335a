#include "webhook/controller/event_recorder.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "policy/printable.h"
#include "webhook/cluster/lease.h"

namespace plimsoll::webhook::controller {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

constexpr std::size_t kMaxNoteRunes = 250;  // four bytes each at most, of 1,024
constexpr std::chrono::minutes kIdle{60};

}  // namespace

EventRecorder::EventRecorder(cluster::Api& api,
                             const asio::any_io_executor& executor,
                             std::string instance,
                             telemetry::Log& log)
    : api_(api), nudge_(executor), instance_(std::move(instance)), log_(log) {}

void EventRecorder::add(ObjectReference regarding, EventText text) {
  std::string key = fmt::format("{}/{}/{}/{}/{}",
                                regarding.kind,
                                regarding.name_space,
                                regarding.name,
                                text.reason,
                                text.note);
  const auto now = std::chrono::steady_clock::now();
  const auto told = told_.find(key);
  if (told != told_.end() && now < told->second + kTellAgain) return;
  if (queue_.size() == kMaxQueue) {
    ++dropped_;
    return;
  }
  if (told_.size() >= kMaxTold) told_.clear();
  told_[key] = now;
  queue_.push_back({std::move(key), std::move(regarding), std::move(text)});
  nudge_.give();
}

asio::awaitable<void> EventRecorder::post(Waiting event) {
  const auto now = std::chrono::system_clock::now();
  const auto stamp = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch());
  const std::string name_space =
      event.regarding.name_space.empty() ? "default" : event.regarding.name_space;
  Json regarding = {{"apiVersion", event.regarding.api_version},
                    {"kind", event.regarding.kind},
                    {"name", event.regarding.name}};
  if (!event.regarding.name_space.empty()) regarding["namespace"] = event.regarding.name_space;
  if (!event.regarding.uid.empty()) regarding["uid"] = event.regarding.uid;
  const std::string name =
      fmt::format("{}.{:x}", event.regarding.name.substr(0, 200), stamp.count());
  const Json body = {{"apiVersion", "events.k8s.io/v1"},
                     {"kind", "Event"},
                     {"metadata", {{"name", name}, {"namespace", name_space}}},
                     {"eventTime", cluster::micro_time(now)},
                     {"reportingController", "plimsoll.dev/controller"},
                     {"reportingInstance", instance_.substr(0, 128)},
                     {"action", event.text.action},
                     {"reason", event.text.reason},
                     {"type", event.text.is_warning ? "Warning" : "Normal"},
                     {"regarding", std::move(regarding)},
                     {"note", policy::printable(event.text.note, kMaxNoteRunes)}};
  cluster::ApiRequest request;
  request.method = "POST";
  request.path = "/apis/events.k8s.io/v1/namespaces/" + name_space + "/events";
  request.body = body.dump();
  const cluster::ApiResult answer = co_await api_.call(std::move(request));
  if (answer) {
    ++written_;
    refused_ = false;
    co_return;
  }
  ++dropped_;
  told_.erase(event.key);
  if (refused_) co_return;
  refused_ = true;
  const std::string text = answer.error().text();
  log_.write_limited(telemetry::LogLevel::kWarn, "event not written", {{"why", text}});
}

asio::awaitable<void> EventRecorder::run() {
  while (true) {
    while (!queue_.empty()) {
      Waiting event = std::move(queue_.front());
      queue_.pop_front();
      co_await post(std::move(event));
    }
    co_await nudge_.wait(kIdle);
  }
}

}  // namespace plimsoll::webhook::controller
