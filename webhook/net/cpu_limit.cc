#include "webhook/net/cpu_limit.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <string>

namespace plimsoll::webhook::net {
namespace {

unsigned processors_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

// Processors of time per period, rounded up; 0: no limit.
unsigned rounded_up(double quota, double period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<unsigned>(std::clamp((quota + period - 1) / period, 1.0, 1024.0));
}

unsigned limit_of_groups() {
  std::string quota;
  double period = 0;
  std::ifstream two("/sys/fs/cgroup/cpu.max");  // "max 100000" or "150000 100000"
  if (two >> quota >> period)
    return quota == "max" ? 0 : rounded_up(std::strtod(quota.c_str(), nullptr), period);
  double value = 0;
  std::ifstream one_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");  // -1: no limit
  std::ifstream one_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (one_quota >> value && one_period >> period) return rounded_up(value, period);
  return 0;
}

}  // namespace

unsigned usable_processors() {
  const unsigned processors = processors_of_affinity();
  const unsigned limit = limit_of_groups();
  return limit == 0 ? processors : std::min(processors, limit);
}

}  // namespace plimsoll::webhook::net
