// What the certificates' Secret holds, as text that nobody has judged yet.
#pragma once

#include <map>
#include <string>

namespace plimsoll::webhook::certificates {

// Any of it may be empty, damaged, or not fit the rest.
struct Stored {
  std::string tls_crt;        // the serving certificate
  std::string tls_key;        // its key
  std::string ca_crt;         // all authorities to trust: the current one, the next, earlier ones
  std::string ca_key;         // the current authority's key; says which one of ca.crt is current
  std::string next_ca_crt;    // the authority that is to take over
  std::string next_ca_key;    // its key
  std::string next_ca_since;  // RFC 3339: from when every caBundle was seen to hold it

  bool operator==(const Stored&) const = default;
};

// From and to the Secret's data: "tls.crt" and so on, as decoded text. Other keys are passed over.
// All seven are always given, empty for what there is none of, so that a merge patch clears it.
Stored stored_of(const std::map<std::string, std::string>& data);
std::map<std::string, std::string> data_of(const Stored& stored);

}  // namespace plimsoll::webhook::certificates
