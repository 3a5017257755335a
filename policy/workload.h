// A pod-bearing object as plain views: what the rules look at, and nothing else of it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policy/image_reference.h"
#include "policy/quantity.h"

namespace plimsoll::policy {

// All views and spans live as long as the parsed document and the arena they were read into.

struct Label {
  std::string_view key;
  std::string_view value;
};

enum class ContainerClass : std::uint8_t {
  kInit,         // runs to completion before the others
  kSidecar,      // an init container with restartPolicy Always
  kContainer,    // spec.containers
  kEphemeral,    // spec.ephemeralContainers
  kImageVolume,  // spec.volumes[].image: an image that is mounted, not run
};

enum class ProbeHandler : std::uint8_t { kNone, kExec, kHttpGet, kTcpSocket, kGrpc };

// Numbers are seconds or counts after API defaulting (period 10, timeout 1, success 1, failure 3).
struct Probe {
  bool present = false;                        // the key holds an object
  ProbeHandler handler = ProbeHandler::kNone;  // kNone: an empty probe object
  std::string_view port_name;                  // where the port is a name
  std::int64_t port = 0;                       // where the port is a number
  std::string_view path;                       // httpGet
  std::string_view scheme;                     // httpGet, "HTTP" by default
  std::string_view host;                       // httpGet, tcpSocket
  std::string_view service;                    // grpc
  std::span<const std::string_view> command;   // exec
  std::int64_t initial_delay = 0;
  std::int64_t period = 10;
  std::int64_t timeout = 1;
  std::int64_t success_threshold = 1;
  std::int64_t failure_threshold = 3;

  bool usable() const { return present && handler != ProbeHandler::kNone; }
};

struct EnvVar {
  std::string_view name;
  std::string_view value;   // the literal; never printed, logged, or kept
  bool literal = false;     // a value is given here, not by reference
  std::uint32_t index = 0;  // position in env
};

struct Port {
  std::string_view name;
  std::int64_t number = 0;
};

struct ResourceAmount {
  std::string_view name;                         // "cpu"
  std::string_view quantity;                     // as written; numbers as their text
  std::optional<Quantity> value = std::nullopt;  // nothing: not a quantity
};

struct Container {
  ContainerClass container_class = ContainerClass::kContainer;
  std::uint32_t index = 0;  // position in its list
  std::string_view name;    // may be empty; of an image volume: the volume's name
  std::string_view image;   // as written; empty: nothing to judge
  std::expected<ImageReference, std::string_view> reference = std::unexpected(std::string_view());
  std::string_view pull_policy;  // as written, may be empty
  std::span<const Port> ports;
  std::span<const EnvVar> env;
  std::span<const ResourceAmount> requests;
  std::span<const ResourceAmount> limits;
  Probe liveness;
  Probe readiness;
  Probe startup;
  std::optional<bool> run_as_non_root;
  std::optional<std::int64_t> run_as_user;

  // Containers and sidecars: what the kubelet keeps running and may probe.
  bool is_long_running() const {
    return container_class == ContainerClass::kContainer ||
           container_class == ContainerClass::kSidecar;
  }
  // Everything but image volumes.
  bool is_run() const { return container_class != ContainerClass::kImageVolume; }
};

// A field whose type is not what Kubernetes says. It was read as absent.
struct Malformed {
  std::string_view pointer;   // JSON pointer
  std::string_view expected;  // "a list of containers"
};

struct Workload {
  std::string_view api_version;
  std::string_view group;  // of api_version; empty for core
  std::string_view kind;
  std::string_view name_space;  // metadata.namespace as written
  std::string_view name;
  std::string_view generate_name;
  std::span<const Label> labels;
  std::span<const Label> template_labels;  // of the pod template; of a Pod: its own
  std::string_view template_pointer;       // "/spec/template"; empty for a Pod
  std::optional<std::int64_t> replicas;    // as written
  bool has_replicas = false;               // the kind has a replica count that a person sets
  bool is_job = false;                     // Job and CronJob
  std::string_view restart_policy;         // of the pod spec, as written
  std::string_view os_name;                // spec.os.name, as written
  // Of the nodeSelector, as written: kubernetes.io/os, kubernetes.io/arch. May be empty.
  std::string_view node_os;
  std::string_view node_architecture;
  // Names as written, which may be none: whose credentials a kubelet would pull with.
  std::span<const std::string_view> pull_secrets;
  std::string_view service_account;
  bool host_network = false;
  std::optional<bool> run_as_non_root;  // of the pod's security context
  std::optional<std::int64_t> run_as_user;
  std::span<const Container> containers;  // every image and container: the one enumeration
  std::span<const Malformed> malformed;

  // Pods that end by themselves have nothing to be probed for: Jobs, and restartPolicy Never or
  // OnFailure. An owner reference says nothing: anyone can write one.
  bool runs_to_completion() const {
    return is_job || restart_policy == "Never" || restart_policy == "OnFailure";
  }
};

// "containers", "initContainers", "ephemeralContainers", "volumes".
std::string_view list_name(ContainerClass container_class);

// "container", "init", "sidecar", "ephemeral", "image-volume": the word used in output and keys.
std::string_view class_word(ContainerClass container_class);

// JSON pointer of a container, "/spec/template/spec/containers/0"; `below` is appended as it is.
std::string pointer_to(const Workload& workload,
                       const Container& container,
                       std::string_view below = "");

// JSON pointer of the image reference: ".../containers/0/image", ".../volumes/2/image/reference".
std::string image_pointer(const Workload& workload, const Container& container);

// JSON pointer below the pod spec, "/spec/template/spec" + `below`.
std::string pod_spec_pointer(const Workload& workload, std::string_view below = "");

std::optional<std::string_view> find_label(std::span<const Label> labels, std::string_view key);

// JSON pointer -> "spec.template.spec.containers[0].image", as Kubernetes writes field paths.
std::string field_path(std::string_view pointer);

}  // namespace plimsoll::policy
