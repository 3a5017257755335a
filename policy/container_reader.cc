#include <array>
#include <charconv>

#include "policy/reading.h"

namespace plimsoll::policy {
namespace {

std::span<const std::string_view> read_command(Reading& reading,
                                               const Place& place,
                                               const json::Element& element) {
  const auto exec = reading.object(place, element, "an object");
  if (!exec) return {};
  const auto command = json::last_member(*exec, "command");
  if (!command) return {};
  const Place at = place.key("command");
  const auto list = reading.array(at, *command, "a list of strings");
  if (!list) return {};
  const auto words = reading.entries<std::string_view>(list->size());
  std::uint32_t i = 0;
  for (const json::Element word : *list) {
    if (i == words.size()) break;
    words[i] = reading.text(at.element(i), word);
    ++i;
  }
  return words;
}

void read_probe_port(Reading& reading,
                     const Place& place,
                     const json::Element& element,
                     Probe& probe) {
  if (const auto name = json::as_text(element)) {
    probe.port_name = *name;
  } else {
    probe.port = reading.integer(place, element).value_or(0);
  }
}

// httpGet, tcpSocket and grpc: which of the members a handler has does not matter here.
void read_network_handler(Reading& reading,
                          const Place& place,
                          const json::Element& element,
                          Probe& probe) {
  const auto handler = reading.object(place, element, "an object");
  if (!handler) return;
  for (const auto& [key, value] : *handler) {
    const Place at = place.key(key);
    if (key == "port") {
      read_probe_port(reading, at, value, probe);
    } else if (key == "path") {
      probe.path = reading.text(at, value);
    } else if (key == "scheme") {
      probe.scheme = reading.text(at, value);
    } else if (key == "host") {
      probe.host = reading.text(at, value);
    } else if (key == "service") {
      probe.service = reading.text(at, value);
    }
  }
}

struct ProbeNumber {
  std::string_view key;
  std::int64_t Probe::* member;
  std::int64_t fallback;  // what the API server fills in for 0
};

constexpr std::array<ProbeNumber, 5> kProbeNumbers = {{
    {"initialDelaySeconds", &Probe::initial_delay, 0},
    {"periodSeconds", &Probe::period, 10},
    {"timeoutSeconds", &Probe::timeout, 1},
    {"successThreshold", &Probe::success_threshold, 1},
    {"failureThreshold", &Probe::failure_threshold, 3},
}};

void read_probe_member(Reading& reading,
                       const Place& at,
                       std::string_view key,
                       const json::Element& value,
                       Probe& probe) {
  if (key == "exec" && !value.is_null()) {
    probe.handler = ProbeHandler::kExec;
    probe.command = read_command(reading, at, value);
    return;
  }
  const ProbeHandler network = key == "httpGet"     ? ProbeHandler::kHttpGet
                               : key == "tcpSocket" ? ProbeHandler::kTcpSocket
                               : key == "grpc"      ? ProbeHandler::kGrpc
                                                    : ProbeHandler::kNone;
  if (network != ProbeHandler::kNone) {
    if (value.is_null()) return;
    probe.handler = network;
    read_network_handler(reading, at, value, probe);
    return;
  }
  for (const ProbeNumber& number : kProbeNumbers) {
    if (key != number.key) continue;
    const std::int64_t seconds = reading.integer(at, value).value_or(0);
    probe.*number.member = seconds == 0 ? number.fallback : seconds;
  }
}

Probe read_probe(Reading& reading, const Place& place, const json::Element& element) {
  Probe probe;
  const auto object = reading.object(place, element, "a probe");
  if (!object) return probe;
  probe.present = true;
  for (const auto& [key, value] : *object) {
    read_probe_member(reading, place.key(key), key, value, probe);
  }
  if (probe.handler == ProbeHandler::kHttpGet && probe.scheme.empty()) probe.scheme = "HTTP";
  return probe;
}

void read_variable(Reading& reading, const Place& place, const json::Object& object, EnvVar& out) {
  for (const auto& [key, value] : object) {
    if (key == "name") {
      out.name = reading.text(place.key(key), value);
    } else if (key == "value") {
      out.value = reading.text(place.key(key), value);
      out.literal = value.is_string();
    }
  }
}

std::span<const EnvVar> read_env(Reading& reading,
                                 const Place& place,
                                 const json::Element& element) {
  const auto list = reading.array(place, element, "a list of variables");
  if (!list) return {};
  const auto variables = reading.entries<EnvVar>(list->size());
  std::uint32_t i = 0;
  for (const json::Element entry : *list) {
    if (i == variables.size()) break;
    variables[i].index = i;
    const Place at = place.element(i);
    if (const auto object = reading.object(at, entry, "a variable")) {
      read_variable(reading, at, *object, variables[i]);
    }
    ++i;
  }
  return variables;
}

std::span<const Port> read_ports(Reading& reading,
                                 const Place& place,
                                 const json::Element& element) {
  const auto list = reading.array(place, element, "a list of ports");
  if (!list) return {};
  const auto ports = reading.entries<Port>(list->size());
  std::uint32_t i = 0;
  for (const json::Element entry : *list) {
    if (i == ports.size()) break;
    const Place at = place.element(i);
    if (const auto object = reading.object(at, entry, "a port")) {
      for (const auto& [key, value] : *object) {
        if (key == "name") ports[i].name = reading.text(at.key(key), value);
        if (key == "containerPort") {
          ports[i].number = reading.integer(at.key(key), value).value_or(0);
        }
      }
    }
    ++i;
  }
  return ports;
}

// Quantities may be written as numbers, too.
std::string_view read_quantity(Reading& reading, const Place& place, const json::Element& element) {
  double real = 0;
  if (element.is_string() || element.is_null() || element.get_double().get(real)) {
    return reading.text(place, element);
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real);
  return reading.arena().keep({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
}

constexpr std::size_t kMaxAmounts = 64;  // resources of one container; keeps the search below cheap

std::span<const ResourceAmount> read_amounts(Reading& reading,
                                             const Place& place,
                                             const json::Element& element) {
  const auto map = reading.object(place, element, "a map of quantities");
  if (!map) return {};
  if (map->size() > kMaxAmounts) {
    reading.note(place, "at most 64 resources");
    return {};
  }
  const auto amounts = reading.entries<ResourceAmount>(map->size());
  std::size_t count = 0;
  for (const auto& [key, value] : *map) {
    if (count == amounts.size()) break;
    std::size_t at = 0;  // a repeated key: the last one wins
    while (at < count && amounts[at].name != key) ++at;
    const std::string_view quantity = read_quantity(reading, place.key(key), value);
    amounts[at] = {key, quantity, parse_quantity(quantity)};
    if (at == count && !value.is_null()) ++count;
  }
  return amounts.first(count);
}

void read_resources(Reading& reading,
                    const Place& place,
                    const json::Element& element,
                    Container& container) {
  container.requests = {};
  container.limits = {};
  const auto object = reading.object(place, element, "an object");
  if (!object) return;
  for (const auto& [key, value] : *object) {
    const Place at = place.key(key);
    if (key == "requests") container.requests = read_amounts(reading, at, value);
    if (key == "limits") container.limits = read_amounts(reading, at, value);
  }
}

void read_security(Reading& reading,
                   const Place& place,
                   const json::Element& element,
                   Container& container) {
  container.run_as_user.reset();
  container.run_as_non_root.reset();
  const auto object = reading.object(place, element, "an object");
  if (!object) return;
  for (const auto& [key, value] : *object) {
    const Place at = place.key(key);
    if (key == "runAsUser") container.run_as_user = reading.integer(at, value);
    if (key == "runAsNonRoot") container.run_as_non_root = reading.flag(at, value);
  }
}

using Member = void (*)(Reading&, const Place&, const json::Element&, Container&);

struct MemberReader {
  std::string_view key;
  Member read;
};

constexpr std::array<MemberReader, 11> kMembers = {{
    {"name",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.name = r.text(p, e);
     }},
    {"image",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.image = r.text(p, e);
     }},
    {"imagePullPolicy",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.pull_policy = r.text(p, e);
     }},
    {"ports",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.ports = read_ports(r, p, e);
     }},
    {"env",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.env = read_env(r, p, e);
     }},
    {"resources", read_resources},
    {"securityContext", read_security},
    {"livenessProbe",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.liveness = read_probe(r, p, e);
     }},
    {"readinessProbe",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.readiness = read_probe(r, p, e);
     }},
    {"startupProbe",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       c.startup = read_probe(r, p, e);
     }},
    {"restartPolicy",
     [](Reading& r, const Place& p, const json::Element& e, Container& c) {
       if (c.container_class != ContainerClass::kInit) return;
       if (r.text(p, e) == "Always") c.container_class = ContainerClass::kSidecar;
     }},
}};

}  // namespace

void read_container(Reading& reading,
                    const Place& place,
                    const json::Object& object,
                    Container& container) {
  for (const auto& [key, value] : object) {
    for (const MemberReader& member : kMembers) {
      if (key.size() != member.key.size() || key != member.key) continue;
      member.read(reading, place.key(key), value, container);
      break;
    }
  }
}

}  // namespace plimsoll::policy
