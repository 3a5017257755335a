// `plimsoll verify`: asks an installed plimsoll as the API server would, and says what it answered.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "policy/printable.h"
#include "webhook/cli/cluster_access.h"
#include "webhook/cli/commands.h"
#include "webhook/cli/serve_program.h"
#include "webhook/cli/terminal.h"
#include "webhook/cli/version.h"
#include "webhook/cluster/api.h"
#include "webhook/net/base64.h"
#include "webhook/net/url.h"

namespace plimsoll::webhook::cli {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

constexpr const char* kFooter =
    R"(Reads the webhook configuration and the Service it names, and sends two reviews there, checked
against the caBundle: a Deployment with `latest`, without probes or limits, and one without fault.
Nothing is created. It needs get on these two objects, by name.

A server that asks for client certificates (serve --client-ca) answers nobody but the API server. That it
does so is then what is checked, and the two Deployments go through the API server as dry runs, in
namespace default; where that may not be, a line says so.

Exit: 0 both were answered; 1 something between the API server and plimsoll does not work; 2 wrong
usage; 78 no way to the cluster.

Example:
  plimsoll verify --webhook-configuration plimsoll)";

constexpr const char* kUid = "7f1f3f60-0000-4000-8000-706c696d736f";
constexpr std::size_t kShownText = 200;
constexpr const char* kFaulty = "a Deployment with latest, without probes and limits";
constexpr const char* kFaultless = "a Deployment without fault";

struct VerifyFlags {
  AccessFlags access;
  std::string webhook_configuration = "plimsoll";
};

// What an entry of the configuration says about where to ask.
struct Entry {
  std::string name;
  std::string service;
  std::string name_space;
  std::string path;
  std::uint16_t port = 443;
  std::string authorities;  // PEM
};

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto at = object.find(key);
  const auto* text = at == object.end() ? nullptr : at->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

const Json& member(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto at = object.find(key);
  return at == object.end() ? none : *at;
}

// The entries that are answered through a Service.
std::vector<Entry> entries_of(const std::string& configuration) {
  std::vector<Entry> entries;
  const Json object = Json::parse(configuration, nullptr, false);
  for (const Json& webhook : member(object, "webhooks")) {
    const Json& client = member(webhook, "clientConfig");
    const Json& service = member(client, "service");
    if (!service.is_object()) continue;
    Entry entry;
    entry.name = text_at(webhook, "name");
    entry.service = text_at(service, "name");
    entry.name_space = text_at(service, "namespace");
    entry.path = text_at(service, "path");
    if (const auto* port = member(service, "port").get_ptr<const Json::number_unsigned_t*>()) {
      entry.port = static_cast<std::uint16_t>(*port);
    }
    entry.authorities = net::decode_base64(text_at(client, "caBundle")).value_or("");
    entries.push_back(std::move(entry));
  }
  return entries;
}

Json container_without_fault() {
  const Json probe = {{"httpGet", {{"path", "/healthz"}, {"port", 8080}}}};
  Json liveness = probe;
  liveness["initialDelaySeconds"] = 10;
  liveness["httpGet"]["path"] = "/livez";
  return {{"name", "verify"},
          {"image", "registry.invalid/plimsoll-verify:1.0.0"},
          {"livenessProbe", std::move(liveness)},
          {"readinessProbe", probe},
          {"resources",
           {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}, {"limits", {{"memory", "16Mi"}}}}}};
}

Json deployment_of(Json container, int replicas) {
  const Json labels = {{"app", "plimsoll-verify"}};
  Json pod = {{"metadata", {{"labels", labels}}},
              {"spec", {{"containers", Json::array({std::move(container)})}}}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "plimsoll-verify"}, {"namespace", "default"}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", labels}}},
            {"template", std::move(pod)}}}};
}

std::string review_of(const Json& object) {
  const Json request = {
      {"uid", kUid},
      {"kind", {{"group", "apps"}, {"version", "v1"}, {"kind", "Deployment"}}},
      {"resource", {{"group", "apps"}, {"version", "v1"}, {"resource", "deployments"}}},
      {"name", "plimsoll-verify"},
      {"namespace", "default"},
      {"operation", "CREATE"},
      {"userInfo", {{"username", "plimsoll-verify"}}},
      {"dryRun", true},
      {"object", object}};
  return Json{
      {"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"request", request}}
      .dump();
}

// "denied: ...", "admitted, with 2 warnings", "admitted, recorded: image-tag"; empty: no answer of
// ours.
std::string verdict_of(const std::string& body) {
  const Json answer = Json::parse(body, nullptr, false);
  const Json& response = member(answer, "response");
  if (text_at(response, "uid") != kUid || !member(response, "allowed").is_boolean()) return "";
  if (member(response, "allowed") != true) {
    const std::string message = text_at(member(response, "status"), "message");
    return "denied: " + policy::printable(message.substr(0, message.find('\n')), kShownText);
  }
  const std::size_t warnings = member(response, "warnings").size();
  if (warnings > 0) return fmt::format("admitted, with {} warnings", warnings);
  const std::string rules = text_at(member(response, "auditAnnotations"), "rules");
  return rules.empty() ? "admitted" : "admitted, recorded: " + policy::printable(rules, kShownText);
}

// What the API server says of a webhook's denial, or of one that it could not ask.
constexpr std::string_view kDenied = "denied the request: ";
constexpr std::string_view kNotAsked = "failed calling webhook";

class Verification {
 public:
  Verification(asio::io_context& io,
               std::unique_ptr<cluster::AccessSource> access,
               std::string name)
      : io_(io),
        user_agent_("plimsoll-verify/" + std::string(version())),
        name_(std::move(name)),
        api_(io, std::move(access), {.user_agent = user_agent_}) {}

  bool all_well() const { return all_well_; }
  // Something could not be looked at, and a line has said so.
  bool incomplete() const { return incomplete_; }

  asio::awaitable<void> run() {
    cluster::ApiRequest request;
    request.path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" +
                   net::percent_encoded(name_);
    const cluster::ApiResult answer = co_await api_.call(std::move(request));
    if (!answer) co_return fail("webhook configuration " + name_, answer.error().text());
    const std::vector<Entry> entries = entries_of(answer->body);
    if (entries.empty()) {
      co_return fail("webhook configuration " + name_, "it has no entry with a Service");
    }
    std::string asked;  // entries of one Service are answered by the same server
    for (const Entry& entry : entries) {
      if (entry.authorities.empty()) {
        fail("entry " + entry.name, "its caBundle is empty: see the log of plimsoll controller");
        continue;
      }
      print(fmt::format("entry {}: has a caBundle\n", entry.name));
      const std::string place = entry.name_space + "/" + entry.service + entry.authorities;
      if (place == std::exchange(asked, place)) continue;
      co_await ask(entry);
    }
  }

 private:
  void fail(const std::string& what, const std::string& why) {
    complain(fmt::format("plimsoll verify: {}: {}", what, why));
    all_well_ = false;
  }

  asio::awaitable<void> ask(Entry entry) {
    const std::string place = entry.name_space + "/" + entry.service;
    cluster::ApiRequest request;
    request.path = "/api/v1/namespaces/" + net::percent_encoded(entry.name_space) + "/services/" +
                   net::percent_encoded(entry.service);
    const cluster::ApiResult answer = co_await api_.call(std::move(request));
    if (!answer) co_return fail("service " + place, answer.error().text());
    const Json service = Json::parse(answer->body, nullptr, false);
    const std::string address = text_at(member(service, "spec"), "clusterIP");
    if (address.empty()) co_return fail("service " + place, "it has no clusterIP");
    cluster::AccessConfig config;
    config.server.host = address;
    config.server.port = entry.port;
    config.server.target = "";
    config.tls_name = entry.service + "." + entry.name_space + ".svc";
    config.authorities.text = entry.authorities;
    auto access = cluster::AccessSource::make(std::move(config));
    if (!access) co_return fail("service " + place, access.error().message);
    cluster::Api server(io_, *std::move(access), {.user_agent = user_agent_});
    const std::string path = (entry.path.empty() ? "/" : entry.path) + "?timeout=10s";
    const Json bare = {{"name", "verify"}, {"image", "registry.invalid/plimsoll-verify:latest"}};
    const Json faulty = deployment_of(bare, 1);
    const Json faultless = deployment_of(container_without_fault(), 2);
    const std::string first = review_of(faulty);
    const bool heard = co_await review(server, path, kFaulty, first);
    if (heard) {
      const std::string second = review_of(faultless);
      co_await review(server, path, kFaultless, second);
      co_return;
    }
    print(fmt::format("service {}: it asks for a client certificate, and we have none\n", place));
    co_await dry_run(kFaulty, faulty);
    co_await dry_run(kFaultless, faultless);
  }

  // False: it hears only clients with a certificate.
  asio::awaitable<bool> review(cluster::Api& server,
                               std::string path,
                               std::string what,
                               std::string body) {
    cluster::ApiRequest request;
    request.method = "POST";
    request.path = std::move(path);
    request.body = std::move(body);
    const cluster::ApiResult answer = co_await server.call(std::move(request));
    if (!answer && answer.error().wants_certificate) co_return false;
    const std::string verdict = answer ? verdict_of(answer->body) : "";
    if (!answer) {
      fail(what, answer.error().text());
    } else if (verdict.empty()) {
      fail(what, "what answers there is not plimsoll");
    } else {
      print(fmt::format("{}: {}\n", what, verdict));
    }
    co_return true;
  }

  // Has the API server ask it: what is created in a dry run is not stored.
  asio::awaitable<void> dry_run(std::string what, Json object) {
    cluster::ApiRequest request;
    request.method = "POST";
    request.path = "/apis/apps/v1/namespaces/default/deployments?dryRun=All";
    request.body = object.dump();
    const cluster::ApiResult answer = co_await api_.call(std::move(request));
    const std::string message = answer ? "" : answer.error().message;
    const std::size_t denied = message.find(kDenied);
    if (answer) {
      print(
          fmt::format("{}: the API server admits it; plimsoll_reviews_total tells whether "
                      "plimsoll was asked\n",
                      what));
    } else if (denied != std::string::npos) {
      const std::string reasons = message.substr(denied + kDenied.size());
      print(fmt::format("{}: denied: {}\n", what, reasons.substr(0, reasons.find("\\u{"))));
      co_return;
    } else if (message.find(kNotAsked) != std::string::npos) {
      co_return fail(what, answer.error().text());
    } else {
      print(fmt::format(
          "{}: not checked, no dry run was possible: {}\n", what, answer.error().text()));
    }
    incomplete_ = true;
  }

  asio::io_context& io_;
  std::string user_agent_;
  std::string name_;
  cluster::Api api_;
  bool all_well_ = true;
  bool incomplete_ = false;
};

int run_verify(const VerifyFlags& flags) {
  auto access = cluster_access(flags.access);
  if (!access) {
    complain("plimsoll verify: " + access.error().message);
    return kExitBadConfiguration;
  }
  asio::io_context io(1);
  Verification verification(io, *std::move(access), flags.webhook_configuration);
  std::exception_ptr failure;
  asio::co_spawn(io, verification.run(), [&failure, &io](const std::exception_ptr& thrown) {
    failure = thrown;
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  if (verification.all_well()) {
    print(verification.incomplete() ? "plimsoll verify: it can be reached\n"
                                    : "plimsoll verify: it answers\n");
  }
  return verification.all_well() ? kExitFine : kExitFailed;
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("verify", "Ask an installed plimsoll as the API server would");
  command->footer(kFooter);
  const auto flags = std::make_shared<VerifyFlags>();
  add_access_flags(*command, flags->access);
  command
      ->add_option("--webhook-configuration",
                   flags->webhook_configuration,
                   "The configuration that is looked at")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([flags, &exit_code] { exit_code = run_verify(*flags); });
}

}  // namespace plimsoll::webhook::cli
