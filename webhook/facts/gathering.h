// The facts of one object's images: what is known at once, and what has to be waited for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "policy/engine.h"
#include "webhook/facts/facts_service.h"

namespace plimsoll::webhook::facts {

inline constexpr std::size_t kMaxImages = 100;  // of one object that are looked up

// The platforms on which a workload's images run, by what its nodeSelector and spec.os say of
// `otherwise`; empty where they say nothing.
std::vector<policy::Platform> platforms_of(const policy::Workload& workload,
                                           const std::vector<policy::Platform>& otherwise);

class Gathering {
 public:
  // `workload` outlives this, and does not move its containers. `credentials`: the pod's own, if
  // any.
  Gathering(const policy::Workload& workload,
            const policy::FactNeeds& needs,
            FactsService& service,
            PodCredentialsPointer credentials = nullptr);
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  // Something that is worth a request is not known.
  bool is_incomplete() const { return !missing_.empty(); }
  policy::FactTable table() const { return {of_containers_, compared_}; }

  // Asks for what is missing. `ready` is called on another thread when all of it is there, or at
  // the deadline.
  void ask(net::Deadline deadline,
           std::function<void()> ready,
           FactsService::Trace trace = nullptr);
  // Puts what came into the table; what did not come is unknown for lack of time.
  void take();

 private:
  struct Missing {
    FactRequest request;
    std::vector<std::size_t> containers;  // that have this image
    bool compared = false;                // it is also compared with
  };
  // Filled by the service's thread; outlives a review that nobody waits for any more.
  struct Inbox {
    std::mutex mutex;
    std::vector<FactsService::FactsPointer> facts;
    std::size_t left = 0;
    std::function<void()> ready;
  };

  void miss(const policy::ImageReference& reference,
            policy::FactSet facts,
            std::optional<std::size_t> container);
  void look_at(std::size_t index, policy::FactSet wanted, policy::FactSet required);

  const policy::Workload& workload_;
  FactsService& service_;
  PodCredentialsPointer credentials_;
  std::vector<policy::Platform> own_platforms_;  // where the workload says something
  const std::vector<policy::Platform>& platforms_;
  std::vector<FactsService::FactsPointer> of_containers_;
  std::vector<policy::ComparedImage> compared_;
  std::vector<Missing> missing_;
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace plimsoll::webhook::facts
