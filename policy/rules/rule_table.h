// Every rule by name: one line here and one in rules.cc for each.
#pragma once

#include "policy/rule.h"

namespace plimsoll::policy::rules {

extern const Rule kImageReference;
extern const Rule kImageTag;
extern const Rule kImageDigest;
extern const Rule kImageRegistry;
extern const Rule kImagePullPolicy;
extern const Rule kImageEnvironment;
extern const Rule kVersionLabel;
extern const Rule kImageExists;
extern const Rule kImageSize;
extern const Rule kImageLayers;
extern const Rule kLayerHygiene;
extern const Rule kImageScan;
extern const Rule kImagePackages;
extern const Rule kImageUser;
extern const Rule kImageSecrets;
extern const Rule kBaseImage;
extern const Rule kImageAge;
extern const Rule kImageLabels;
extern const Rule kImagePlatforms;
extern const Rule kLivenessProbe;
extern const Rule kReadinessProbe;
extern const Rule kHealthCheck;
extern const Rule kProbeQuality;
extern const Rule kResources;
extern const Rule kSecretEnv;
extern const Rule kRunAsRoot;
extern const Rule kReplicas;

}  // namespace plimsoll::policy::rules
