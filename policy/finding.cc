#include "policy/finding.h"

#include "policy/printable.h"

namespace plimsoll::policy {
namespace {

std::string_view class_title(ContainerClass container_class) {
  switch (container_class) {
    case ContainerClass::kInit:
      return "init container";
    case ContainerClass::kSidecar:
      return "sidecar";
    case ContainerClass::kContainer:
      return "container";
    case ContainerClass::kEphemeral:
      return "ephemeral container";
    case ContainerClass::kImageVolume:
      return "image volume";
  }
  return "container";
}

std::strong_ordering compare_containers(const Container* a, const Container* b) {
  if (a == b) return std::strong_ordering::equal;
  if (a == nullptr || b == nullptr) {
    return a == nullptr ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (const auto order = a->container_class <=> b->container_class; order != 0) return order;
  if (const auto order = a->name <=> b->name; order != 0 || !a->name.empty()) return order;
  return a->index <=> b->index;
}

}  // namespace

std::strong_ordering compare_keys(const Finding& a, const Finding& b) {
  if (const auto order = compare_containers(a.container, b.container); order != 0) return order;
  return a.subject <=> b.subject;
}

std::string describe(const Container& container) {
  std::string text(class_title(container.container_class));
  if (container.name.empty()) {
    text += " #";
    text += std::to_string(container.index + 1);
  } else {
    text += ' ';
    text += quoted(container.name);
  }
  return text;
}

std::string describe_image(const Container& container) {
  return describe(container) + " image " + printable(container.image);
}

std::string image_subject(const Container& container) {
  if (container.reference) return container.reference->normalised();
  return std::string(container.image);
}

}  // namespace plimsoll::policy
