#include "webhook/facts/gathering.h"

#include <algorithm>
#include <utility>

namespace plimsoll::webhook::facts {
namespace {

using policy::FactSet;
using policy::ImageFacts;
using policy::Platform;
using policy::Unknown;
using policy::UnknownReason;

// Reports are found by every digest of an image, so the manifest comes with them.
FactSet with_what_it_takes(FactSet facts) {
  return (facts & policy::kScan) != 0 ? static_cast<FactSet>(facts | policy::kManifest) : facts;
}

std::shared_ptr<const ImageFacts> unknown_facts(const std::vector<Platform>& platforms,
                                                UnknownReason reason) {
  return std::make_shared<const ImageFacts>(ImageFacts::unknown(platforms, Unknown{reason, ""}));
}

}  // namespace

std::vector<Platform> platforms_of(const policy::Workload& workload,
                                   const std::vector<Platform>& otherwise) {
  const std::string_view os = workload.node_os.empty() ? workload.os_name : workload.node_os;
  const std::string_view architecture = workload.node_architecture;
  if (os.empty() && architecture.empty()) return {};
  std::vector<Platform> platforms;
  for (Platform platform : otherwise) {
    if (!os.empty()) platform.os = os;
    if (!architecture.empty()) {
      platform.architecture = architecture;
      platform.variant.clear();
    }
    policy::normalise(platform);
    if (std::ranges::find(platforms, platform) == platforms.end()) {
      platforms.push_back(std::move(platform));
    }
  }
  return platforms;
}

Gathering::Gathering(const policy::Workload& workload,
                     const policy::FactNeeds& needs,
                     FactsService& service,
                     PodCredentialsPointer credentials)
    : workload_(workload),
      service_(service),
      credentials_(std::move(credentials)),
      own_platforms_(platforms_of(workload, service.platforms())),
      platforms_(own_platforms_.empty() ? service.platforms() : own_platforms_) {
  of_containers_.resize(workload.containers.size());
  for (std::size_t i = 0; i < needs.wanted.size(); ++i) {
    if (needs.wanted[i] == policy::kNoFacts) continue;
    look_at(i, with_what_it_takes(needs.wanted[i]), with_what_it_takes(needs.required[i]));
  }
  const bool asks =
      std::ranges::any_of(needs.required, [](FactSet facts) { return facts != policy::kNoFacts; });
  for (const std::string& text : needs.compared) {
    const auto reference = policy::parse_image_reference(text);
    if (!reference) continue;
    const FactSet facts = policy::kManifest | policy::kConfig;
    auto known = service.cached(*reference, platforms_, facts);
    if (known == nullptr && asks) miss(*reference, facts, std::nullopt);
    compared_.push_back({text, std::move(known)});
  }
}

void Gathering::look_at(std::size_t index, FactSet wanted, FactSet required) {
  const policy::Container& container = workload_.containers[index];
  if (!container.reference) {
    of_containers_[index] = unknown_facts(platforms_, UnknownReason::kInvalidReference);
    return;
  }
  of_containers_[index] = service_.cached(*container.reference, platforms_, wanted, credentials_);
  if (of_containers_[index] == nullptr && required != policy::kNoFacts) {
    miss(*container.reference, wanted, index);
  }
}

void Gathering::miss(const policy::ImageReference& reference,
                     FactSet facts,
                     std::optional<std::size_t> container) {
  const std::string normalised = reference.normalised();
  const auto same = [&normalised](const Missing& missing) {
    return missing.request.reference == normalised;
  };
  auto at = std::ranges::find_if(missing_, same);
  // What a policy compares with is no business of a pod's.
  const PodCredentialsPointer of_pod = container ? credentials_ : nullptr;
  if (at == missing_.end()) {
    if (missing_.size() == kMaxImages) {
      if (container)
        of_containers_[*container] = unknown_facts(platforms_, UnknownReason::kOverloaded);
      return;
    }
    at = missing_.insert(missing_.end(),
                         {FactRequest::of(reference, platforms_, facts, of_pod), {}, false});
  }
  at->request.facts |= facts;
  if (container) {
    at->containers.push_back(*container);
  } else {
    at->compared = true;
  }
}

void Gathering::ask(net::Deadline deadline,
                    std::function<void()> ready,
                    FactsService::Trace trace) {
  inbox_ = std::make_shared<Inbox>();
  inbox_->facts.resize(missing_.size());
  inbox_->left = missing_.size();
  inbox_->ready = std::move(ready);
  std::vector<FactRequest> requests;
  for (const Missing& missing : missing_) requests.push_back(missing.request);
  const auto receive = [inbox = inbox_](std::size_t index, FactsService::FactsPointer facts) {
    std::function<void()> all_there;
    {
      const std::scoped_lock lock(inbox->mutex);
      inbox->facts[index] = std::move(facts);
      if (--inbox->left == 0) all_there = std::move(inbox->ready);
    }
    if (all_there) all_there();
  };
  service_.fetch(std::move(requests), deadline, receive, std::move(trace));
}

void Gathering::take() {
  if (!inbox_) return;
  const std::scoped_lock lock(inbox_->mutex);
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    FactsService::FactsPointer facts = std::move(inbox_->facts[i]);
    if (facts == nullptr) facts = unknown_facts(platforms_, UnknownReason::kTimeout);
    for (const std::size_t container : missing_[i].containers) of_containers_[container] = facts;
    for (policy::ComparedImage& image : compared_) {
      if (image.reference == missing_[i].request.reference) image.facts = facts;
    }
  }
  missing_.clear();
}

}  // namespace plimsoll::webhook::facts
