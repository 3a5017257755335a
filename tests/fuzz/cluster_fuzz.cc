// What an API server or a file can say to us: kubeconfigs, watches, Statuses, webhook
// configurations.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "webhook/cluster/event_stream.h"
#include "webhook/cluster/kubeconfig.h"
#include "webhook/controller/webhook_configuration.h"
#include "webhook/policy_sources/namespaces.h"
#include "webhook/policy_sources/policy_objects.h"

namespace cluster = plimsoll::webhook::cluster;
namespace controller = plimsoll::webhook::controller;
namespace policy_sources = plimsoll::webhook::policy_sources;

namespace {

void watch(std::string_view text) {
  policy_sources::PolicyObjects policies([] {});
  policy_sources::ExceptionObjects exceptions([] {});
  policy_sources::Namespaces namespaces;
  std::string version = "1";
  const auto sink = [&](cluster::EventType type,
                        const plimsoll::policy::json::Object& object,
                        const std::string& trouble) {
    for (cluster::Observer* observer : {static_cast<cluster::Observer*>(&policies),
                                        static_cast<cluster::Observer*>(&exceptions),
                                        static_cast<cluster::Observer*>(&namespaces)}) {
      if (type == cluster::EventType::kPut && trouble.empty()) observer->put(object);
      if (type == cluster::EventType::kPut && !trouble.empty()) observer->put_part(object, trouble);
      if (type == cluster::EventType::kRemoved) observer->removed(object);
    }
  };
  cluster::EventLines lines(version, sink);
  const std::size_t half = text.size() / 2;
  if (lines.add(text.substr(0, half))) lines.add(text.substr(half));
  lines.end();
  policy_sources::policies_of(policies, exceptions, {});
}

void list(const std::string& text) {
  policy_sources::PolicyObjects policies([] {});
  const auto sink = [&](const plimsoll::policy::json::Object& item, const std::string& trouble) {
    if (trouble.find('\n') != std::string::npos) std::abort();
    policies.put_part(item, trouble);
  };
  cluster::read_page(policy_sources::PolicyObjects::collection(), text, sink);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto config = cluster::read_kubeconfig("k", text, "", true);
  if (!config && config.error().message.find('\n') != std::string::npos) std::abort();
  cluster::read_exec_credential(text);
  cluster::error_of(500, text);
  watch(text);
  list(text);
  const auto wanted = controller::WantedConfiguration::parse("w", text);
  const auto any = controller::WantedConfiguration::bundle_only("w");
  controller::Comparison::of(any, text, "bundle");
  if (wanted) controller::Comparison::of(*wanted, text, std::nullopt);
  return 0;
}
