#include "policy/workload.h"

#include <algorithm>
#include <cctype>

namespace plimsoll::policy {

std::string_view list_name(ContainerClass container_class) {
  switch (container_class) {
    case ContainerClass::kInit:
    case ContainerClass::kSidecar:
      return "initContainers";
    case ContainerClass::kContainer:
      return "containers";
    case ContainerClass::kEphemeral:
      return "ephemeralContainers";
    case ContainerClass::kImageVolume:
      return "volumes";
  }
  return "containers";
}

std::string_view class_word(ContainerClass container_class) {
  switch (container_class) {
    case ContainerClass::kInit:
      return "init";
    case ContainerClass::kSidecar:
      return "sidecar";
    case ContainerClass::kContainer:
      return "container";
    case ContainerClass::kEphemeral:
      return "ephemeral";
    case ContainerClass::kImageVolume:
      return "image-volume";
  }
  return "container";
}

std::string pod_spec_pointer(const Workload& workload, std::string_view below) {
  std::string pointer(workload.template_pointer);
  pointer += "/spec";
  pointer += below;
  return pointer;
}

std::string pointer_to(const Workload& workload,
                       const Container& container,
                       std::string_view below) {
  std::string pointer = pod_spec_pointer(workload, "/");
  pointer += list_name(container.container_class);
  pointer += '/';
  pointer += std::to_string(container.index);
  pointer += below;
  return pointer;
}

std::string image_pointer(const Workload& workload, const Container& container) {
  const bool volume = container.container_class == ContainerClass::kImageVolume;
  return pointer_to(workload, container, volume ? "/image/reference" : "/image");
}

std::optional<std::string_view> find_label(std::span<const Label> labels, std::string_view key) {
  for (std::size_t i = labels.size(); i-- > 0;) {  // of a repeated key the last one counts
    if (labels[i].key == key) return labels[i].value;
  }
  return std::nullopt;
}

std::string field_path(std::string_view pointer) {
  std::string path;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view token = pointer.substr(0, end);
    const bool is_index =
        !token.empty() && std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
    if (is_index) {
      path += '[';
      path += token;
      path += ']';
    } else {
      if (!path.empty()) path += '.';
      for (std::size_t i = 0; i < token.size(); ++i) {
        const bool escaped = token[i] == '~' && i + 1 < token.size();
        path += escaped ? (token[++i] == '1' ? '/' : '~') : token[i];
      }
    }
    pointer.remove_prefix(end);
  }
  return path;
}

}  // namespace plimsoll::policy
