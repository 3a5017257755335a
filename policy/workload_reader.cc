#include "policy/workload_reader.h"

#include <algorithm>
#include <array>

#include "policy/reading.h"

namespace plimsoll::policy {
namespace {

// A ReplicaSet's count is set by the controller of its Deployment, which takes an old one down to 0
// step by step: judged, every rollout would stop on the way.
constexpr std::array<WorkloadKind, 11> kKinds = {{
    {"", "Pod", "", true, false, false},
    {"apps", "Deployment", "/spec/template", true, false, true},
    {"apps", "StatefulSet", "/spec/template", true, false, true},
    {"apps", "DaemonSet", "/spec/template", true, false, false},
    {"apps", "ReplicaSet", "/spec/template", true, false, false},
    {"", "ReplicationController", "/spec/template", true, false, true},
    {"batch", "Job", "/spec/template", true, true, false},
    {"batch", "CronJob", "/spec/jobTemplate/spec/template", true, true, false},
    {"", "PodTemplate", "/template", true, false, false},
    {"argoproj.io", "Rollout", "/spec/template", false, false, true},
    {"serving.knative.dev", "Service", "/spec/template", false, false, false},
}};

// The four lists of a pod spec that name images; read after the spec has been walked, so that of
// repeated keys only the last one counts.
struct ImageLists {
  std::optional<json::Array> init;
  std::optional<json::Array> containers;
  std::optional<json::Array> ephemeral;
  std::optional<json::Array> volumes;
};

class WorkloadReader {
 public:
  WorkloadReader(const WorkloadKind& kind, Arena& arena) : kind_(kind), reading_(arena) {}

  Result<Workload> read(const json::Object& root);

 private:
  void read_root(const json::Object& root);
  void read_metadata(const json::Element& element);
  void read_replicas(const json::Object& root);
  void read_template_labels(const Place& place, const json::Object& pod);
  void read_pod_spec(const Place& place, const json::Object& spec, ImageLists& lists);
  void read_pull_secrets(const Place& place, const json::Element& element);
  void read_node_selector(const Place& place, const json::Element& element);
  void read_pod_member(const Place& at,
                       std::string_view key,
                       const json::Element& value,
                       ImageLists& lists);
  void read_pod_security(const Place& place, const json::Element& element);
  bool read_lists(const Place& spec, const ImageLists& lists);
  void read_list(const Place& place,
                 const std::optional<json::Array>& list,
                 ContainerClass container_class);
  void read_volumes(const Place& place, const std::optional<json::Array>& list);
  void read_volume(const Place& place, std::uint32_t index, const json::Object& volume);
  void keep_container(Container& container);

  const WorkloadKind& kind_;
  Reading reading_;
  Workload workload_;
  std::span<Container> containers_;
  std::size_t count_ = 0;
};

void WorkloadReader::read_metadata(const json::Element& element) {
  const Place place = Place::at("/metadata");
  const auto metadata = reading_.object(place, element, "an object");
  if (!metadata) return;
  for (const auto& [key, value] : *metadata) {
    const Place at = place.key(key);
    if (key == "name") {
      workload_.name = reading_.text(at, value);
    } else if (key == "namespace") {
      workload_.name_space = reading_.text(at, value);
    } else if (key == "generateName") {
      workload_.generate_name = reading_.text(at, value);
    } else if (key == "labels") {
      workload_.labels = reading_.labels(at, value);
    }
  }
}

void WorkloadReader::read_root(const json::Object& root) {
  for (const auto& [key, value] : root) {
    if (key == "apiVersion") {
      workload_.api_version = reading_.text(Place::at("/apiVersion"), value);
      workload_.group = group_of(workload_.api_version);
    } else if (key == "kind") {
      workload_.kind = reading_.text(Place::at("/kind"), value);
    } else if (key == "metadata") {
      read_metadata(value);
    }
  }
}

void WorkloadReader::read_replicas(const json::Object& root) {
  if (!kind_.has_replicas) return;
  const auto spec = json::last_member(root, "spec");
  const auto object = spec ? json::as_object(*spec) : std::nullopt;
  if (!object) return;
  const auto replicas = json::last_member(*object, "replicas");
  if (replicas) workload_.replicas = reading_.integer(Place::at("/spec/replicas"), *replicas);
}

void WorkloadReader::read_template_labels(const Place& place, const json::Object& pod) {
  if (kind_.template_pointer.empty()) {
    workload_.template_labels = workload_.labels;
    return;
  }
  const auto metadata = json::last_member(pod, "metadata");
  const auto fields = metadata ? reading_.object(place, *metadata, "an object") : std::nullopt;
  const auto labels = fields ? json::last_member(*fields, "labels") : std::nullopt;
  if (labels) workload_.template_labels = reading_.labels(place.key("labels"), *labels);
}

void WorkloadReader::read_pod_security(const Place& place, const json::Element& element) {
  workload_.run_as_user.reset();
  workload_.run_as_non_root.reset();
  const auto context = reading_.object(place, element, "an object");
  if (!context) return;
  for (const auto& [key, value] : *context) {
    const Place at = place.key(key);
    if (key == "runAsUser") workload_.run_as_user = reading_.integer(at, value);
    if (key == "runAsNonRoot") workload_.run_as_non_root = reading_.flag(at, value);
  }
}

void WorkloadReader::read_node_selector(const Place& place, const json::Element& element) {
  const auto selector = reading_.object(place, element, "an object");
  if (!selector) return;
  for (const auto& [key, value] : *selector) {
    if (key == "kubernetes.io/os") workload_.node_os = reading_.text(place.key(key), value);
    if (key == "kubernetes.io/arch") {
      workload_.node_architecture = reading_.text(place.key(key), value);
    }
  }
}

void WorkloadReader::read_pull_secrets(const Place& place, const json::Element& element) {
  const auto list = reading_.array(place, element, "a list of references");
  if (!list) return;
  const std::span<std::string_view> names = reading_.entries<std::string_view>(list->size());
  std::size_t count = 0;
  for (const json::Element entry : *list) {
    const auto reference = json::as_object(entry);
    const auto name = reference ? json::last_member(*reference, "name") : std::nullopt;
    const auto text = name ? json::as_text(*name) : std::nullopt;
    if (text && count < names.size()) names[count++] = *text;
  }
  workload_.pull_secrets = names.first(count);
}

void WorkloadReader::read_pod_member(const Place& at,
                                     std::string_view key,
                                     const json::Element& value,
                                     ImageLists& lists) {
  if (key == "containers") {
    lists.containers = reading_.array(at, value, "a list of containers");
  } else if (key == "initContainers") {
    lists.init = reading_.array(at, value, "a list of containers");
  } else if (key == "ephemeralContainers") {
    lists.ephemeral = reading_.array(at, value, "a list of containers");
  } else if (key == "volumes") {
    lists.volumes = reading_.array(at, value, "a list of volumes");
  } else if (key == "restartPolicy") {
    workload_.restart_policy = reading_.text(at, value);
  } else if (key == "hostNetwork") {
    workload_.host_network = reading_.flag(at, value).value_or(false);
  } else if (key == "securityContext") {
    read_pod_security(at, value);
  } else if (key == "nodeSelector") {
    read_node_selector(at, value);
  } else if (key == "imagePullSecrets") {
    read_pull_secrets(at, value);
  } else if (key == "serviceAccountName") {
    workload_.service_account = reading_.text(at, value);
  } else if (key == "os") {
    const auto os = reading_.object(at, value, "an object");
    const auto name = os ? json::last_member(*os, "name") : std::nullopt;
    workload_.os_name = name ? reading_.text(at.key("name"), *name) : std::string_view();
  }
}

void WorkloadReader::read_pod_spec(const Place& place,
                                   const json::Object& spec,
                                   ImageLists& lists) {
  for (const auto& [key, value] : spec) read_pod_member(place.key(key), key, value, lists);
}

void WorkloadReader::keep_container(Container& container) {
  if (!container.image.empty()) container.reference = parse_image_reference(container.image);
  ++count_;
}

void WorkloadReader::read_list(const Place& place,
                               const std::optional<json::Array>& list,
                               ContainerClass container_class) {
  if (!list) return;
  std::uint32_t index = 0;
  for (const json::Element element : *list) {
    const Place at = place.element(index);
    Container& container = containers_[count_];
    container.container_class = container_class;
    container.index = index++;
    const auto object = json::as_object(element);
    if (!object) {
      reading_.note(at, "a container");
      continue;
    }
    read_container(reading_, at, *object, container);
    keep_container(container);
  }
}

void WorkloadReader::read_volume(const Place& place,
                                 std::uint32_t index,
                                 const json::Object& volume) {
  std::string_view name;
  std::optional<json::Element> image;
  for (const auto& [key, value] : volume) {
    if (key == "name") name = reading_.text(place.key(key), value);
    if (key == "image") image = value;
  }
  const Place at = place.key("image");
  const auto source = image ? reading_.object(at, *image, "an object") : std::nullopt;
  if (!source) return;
  Container& container = containers_[count_];
  container.container_class = ContainerClass::kImageVolume;
  container.index = index;
  container.name = name;
  for (const auto& [key, value] : *source) {
    if (key == "reference") container.image = reading_.text(at.key(key), value);
    if (key == "pullPolicy") container.pull_policy = reading_.text(at.key(key), value);
  }
  keep_container(container);
}

void WorkloadReader::read_volumes(const Place& place, const std::optional<json::Array>& list) {
  if (!list) return;
  std::uint32_t index = 0;
  for (const json::Element element : *list) {
    const Place at = place.element(index);
    const auto volume = reading_.object(at, element, "a volume");
    if (volume) read_volume(at, index, *volume);
    ++index;
  }
}

// Volumes that are not images take no room: they are counted first.
std::size_t count_image_volumes(const std::optional<json::Array>& list) {
  std::size_t count = 0;
  if (!list) return count;
  for (const json::Element element : *list) {
    const auto volume = json::as_object(element);
    if (volume && json::last_member(*volume, "image")) ++count;
  }
  return count;
}

bool WorkloadReader::read_lists(const Place& spec, const ImageLists& lists) {
  std::size_t room = count_image_volumes(lists.volumes);
  for (const auto* list : {&lists.init, &lists.containers, &lists.ephemeral}) {
    if (*list) room += (*list)->size();
  }
  if (room > kMaxContainers) return false;
  containers_ = reading_.arena().make_array<Container>(room);
  read_list(spec.key("initContainers"), lists.init, ContainerClass::kInit);
  read_list(spec.key("containers"), lists.containers, ContainerClass::kContainer);
  read_list(spec.key("ephemeralContainers"), lists.ephemeral, ContainerClass::kEphemeral);
  read_volumes(spec.key("volumes"), lists.volumes);
  workload_.containers = containers_.first(count_);
  return true;
}

// Walks to the pod template, member by member. Nothing where it is absent or malformed.
std::optional<json::Object> walk(Reading& reading, json::Object object, std::string_view pointer) {
  std::size_t end = 0;
  while (end < pointer.size()) {
    const std::size_t start = end + 1;
    end = std::min(pointer.find('/', start), pointer.size());
    const auto member = json::last_member(object, pointer.substr(start, end - start));
    if (!member) return std::nullopt;
    const auto next = reading.object(Place::at(pointer.substr(0, end)), *member, "an object");
    if (!next) return std::nullopt;
    object = *next;
  }
  return object;
}

Result<Workload> WorkloadReader::read(const json::Object& root) {
  workload_.template_pointer = kind_.template_pointer;
  workload_.is_job = kind_.is_job;
  workload_.has_replicas = kind_.has_replicas;
  read_root(root);
  read_replicas(root);
  ImageLists lists;
  const Place template_place = Place::at(kind_.template_pointer);
  const Place spec_place = template_place.key("spec");
  if (const auto pod = walk(reading_, root, kind_.template_pointer)) {
    read_template_labels(template_place.key("metadata"), *pod);
    const auto spec = json::last_member(*pod, "spec");
    const auto pod_spec = spec ? reading_.object(spec_place, *spec, "a pod spec") : std::nullopt;
    if (pod_spec) read_pod_spec(spec_place, *pod_spec, lists);
  }
  const bool fits = read_lists(spec_place, lists);
  if (!fits || reading_.too_many()) {
    return std::unexpected(Error{ErrorKind::kTooLarge,
                                 fits ? "more than 16,384 labels, variables, ports and the like"
                                      : "more than 1,024 containers and image volumes"});
  }
  workload_.malformed = reading_.notes();
  return workload_;
}

}  // namespace

std::span<const WorkloadKind> workload_kinds() {
  return kKinds;
}

std::string_view group_of(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

const WorkloadKind* find_workload_kind(std::string_view api_version, std::string_view kind) {
  return find_workload_kind_of_group(group_of(api_version), kind);
}

const WorkloadKind* find_workload_kind_of_group(std::string_view group, std::string_view kind) {
  const WorkloadKind* by_kind = nullptr;
  for (const WorkloadKind& row : kKinds) {
    if (row.kind != kind) continue;
    if (row.group == group) return &row;
    if (row.built_in) by_kind = &row;
  }
  return by_kind;
}

Result<Workload> read_workload(const WorkloadKind& kind, const json::Object& object, Arena& arena) {
  return WorkloadReader(kind, arena).read(object);
}

ObjectName read_object_name(const json::Object& object) {
  ObjectName name;
  for (const auto& [key, value] : object) {
    if (key == "apiVersion") name.api_version = json::as_text(value).value_or("");
    if (key == "kind") name.kind = json::as_text(value).value_or("");
    if (key != "metadata") continue;
    const auto metadata = json::as_object(value);
    if (!metadata) continue;
    for (const auto& [field, text] : *metadata) {
      if (field == "namespace") name.name_space = json::as_text(text).value_or("");
      if (field == "name") name.name = json::as_text(text).value_or("");
    }
  }
  return name;
}

std::optional<json::Array> list_items(const json::Object& object) {
  const auto kind = json::last_member(object, "kind");
  const auto word = kind ? json::as_text(*kind) : std::nullopt;
  if (!word || !word->ends_with("List")) return std::nullopt;
  const auto items = json::last_member(object, "items");
  return items ? json::as_array(*items) : std::nullopt;
}

}  // namespace plimsoll::policy
