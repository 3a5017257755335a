#include "webhook/controller/status_writer.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "webhook/controller/status_text.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::controller {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;
using policy_sources::ExceptionObjects;
using policy_sources::PolicyObjects;
using telemetry::LogLevel;

constexpr std::chrono::milliseconds kCollect{200};
// Exceptions expire without anybody's doing; and what could not be written is tried again.
constexpr std::chrono::seconds kLookAgain{60};
constexpr std::string_view kJsonPatch = "application/json-patch+json";

}  // namespace

StatusWriter::StatusWriter(cluster::ApiThread& thread,
                           cluster::WatchTimes times,
                           std::function<bool()> leads,
                           EventRecorder& events,
                           telemetry::Log& log)
    : thread_(thread),
      leads_(std::move(leads)),
      events_(events),
      log_(log),
      changed_(thread.executor()),
      policies_([this] { changed_.give(); }),
      exceptions_([this] { changed_.give(); }),
      policy_reflector_(thread.api(), PolicyObjects::collection(), times, policies_, log),
      exception_reflector_(thread.api(), ExceptionObjects::collection(), times, exceptions_, log) {
  for (cluster::Reflector* reflector : {&policy_reflector_, &exception_reflector_}) {
    thread.add(reflector->what(), [reflector] { return reflector->run(); });
  }
  thread.add("status", [this] { return run(); });
}

std::vector<std::string> StatusWriter::trouble() const {
  std::vector<std::string> lines;
  for (const cluster::Reflector* reflector : {&policy_reflector_, &exception_reflector_}) {
    std::string trouble = reflector->trouble();
    if (!trouble.empty()) lines.push_back(std::move(trouble));
  }
  return lines;
}

// Every object whose status does not say what it should.
std::vector<StatusWriter::Write> StatusWriter::due() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::vector<Write> writes;
  std::size_t refused = 0;
  for (const auto& [name, object] : policies_.all()) {
    refused += object.refusal.empty() ? 0 : 1;
    std::string status = status_of(object, exceptions_, now);
    if (says_the_same(status, object.status)) continue;
    writes.push_back({PolicyObjects::collection().path + "/" + net::percent_encoded(name),
                      object.resource_version,
                      std::move(status),
                      {"plimsoll.dev/v1alpha1", "HygienePolicy", name, "", object.uid},
                      object.refusal});
  }
  refused_ = refused;
  for (const auto& [key, object] : exceptions_.all()) {
    std::string status = status_of(object, policies_, now);
    if (says_the_same(status, object.status)) continue;
    writes.push_back(
        {"/apis/plimsoll.dev/v1alpha1/namespaces/" + net::percent_encoded(object.name_space) +
             "/hygieneexceptions/" + net::percent_encoded(object.name),
         object.resource_version,
         std::move(status),
         {"plimsoll.dev/v1alpha1", "HygieneException", object.name, object.name_space, object.uid},
         object.refusal});
  }
  return writes;
}

asio::awaitable<void> StatusWriter::write(Write write) {
  Json status = Json::parse(write.status, nullptr, false);
  const Json patch = Json::array(
      {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", write.resource_version}},
       {{"op", "add"}, {"path", "/status"}, {"value", std::move(status)}}});
  cluster::ApiRequest request;
  request.method = "PATCH";
  request.path = write.path + "/status";
  request.content_type = kJsonPatch;
  request.body = patch.dump();
  const cluster::ApiResult answer = co_await thread_.api().call(std::move(request));
  if (answer) {
    ++writes_;
    trouble_.clear();
    if (!write.refusal.empty()) {
      EventText text{true, "Refused", "Validate", write.refusal};
      events_.add(std::move(write.object), std::move(text));
    }
    co_return;
  }
  const cluster::ApiError& error = answer.error();
  // It has changed or gone meanwhile (a failed test is 422): its next event comes here again.
  if (error.code == 404 || error.code == 409 || error.code == 422) co_return;
  const std::string why = "cannot write the status of " + write.object.name + ": " + error.text();
  if (why == trouble_) co_return;
  trouble_ = why;
  log_.write_limited(LogLevel::kWarn, "API server", {{"trouble", why}});
}

asio::awaitable<void> StatusWriter::run() {
  while (true) {
    co_await changed_.wait(kLookAgain);
    co_await cluster::pause(kCollect);
    const bool listed = policy_reflector_.synced() && exception_reflector_.synced();
    if (!listed) continue;
    std::vector<Write> writes = due();
    for (Write& one : writes) {
      if (!leads_()) break;
      co_await write(std::move(one));
    }
  }
}

}  // namespace plimsoll::webhook::controller
