// The CustomResourceDefinitions of plimsoll's own kinds, made from the declarations of the rules.
#pragma once

#include <string>

namespace plimsoll::webhook::cli {

// YAML; manifests/crds/hygienepolicies.yaml is exactly this.
std::string policy_crd();

// YAML; manifests/crds/hygieneexceptions.yaml is exactly this.
std::string exception_crd();

}  // namespace plimsoll::webhook::cli
