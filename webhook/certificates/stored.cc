#include "webhook/certificates/stored.h"

#include <array>
#include <utility>

namespace plimsoll::webhook::certificates {
namespace {

constexpr std::array<std::pair<const char*, std::string Stored::*>, 7> kKeys = {{
    {"tls.crt", &Stored::tls_crt},
    {"tls.key", &Stored::tls_key},
    {"ca.crt", &Stored::ca_crt},
    {"ca.key", &Stored::ca_key},
    {"next-ca.crt", &Stored::next_ca_crt},
    {"next-ca.key", &Stored::next_ca_key},
    {"next-ca-since", &Stored::next_ca_since},
}};

}  // namespace

Stored stored_of(const std::map<std::string, std::string>& data) {
  Stored stored;
  for (const auto& [key, member] : kKeys) {
    const auto found = data.find(key);
    if (found != data.end()) stored.*member = found->second;
  }
  return stored;
}

std::map<std::string, std::string> data_of(const Stored& stored) {
  std::map<std::string, std::string> data;
  for (const auto& [key, member] : kKeys) data[key] = stored.*member;
  return data;
}

}  // namespace plimsoll::webhook::certificates
