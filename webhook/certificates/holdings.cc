#include "webhook/certificates/holdings.h"

#include <algorithm>
#include <utility>

#include "policy/ascii.h"
#include "policy/dates.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::certificates {
namespace {

// What ca.crt holds, each once, whatever its age.
std::vector<Authority> authorities_of(const Stored& stored) {
  std::vector<Authority> authorities;
  for (std::string& certificate : salvage_bundle(stored.ca_crt)) {
    const bool known = std::ranges::any_of(authorities, [&certificate](const Authority& other) {
      return other.pair.certificate == certificate;
    });
    if (certificate.size() > kMaxAuthorityBytes) continue;
    const auto text = read_certificate(certificate);
    if (known || !text || !text->is_authority) continue;
    authorities.push_back({{std::move(certificate), ""}, *text});
  }
  return authorities;
}

// The one that the stored key belongs to; the youngest if it was used again.
const Authority* owner_of_key(const std::vector<Authority>& authorities, const std::string& key) {
  const Authority* owner = nullptr;
  for (const Authority& authority : authorities) {
    if (!check_key(authority.pair.certificate, key)) continue;
    if (owner == nullptr || owner->text.not_after < authority.text.not_after) owner = &authority;
  }
  return owner;
}

bool covers(const CertificateText& certificate, const std::string& name) {
  const auto same = [](char a, char b) { return policy::to_lower(a) == policy::to_lower(b); };
  return std::ranges::any_of(certificate.dns_names, [&name, same](const std::string& covered) {
    return std::ranges::equal(covered, name, same);
  });
}

std::unexpected<policy::Error> unfit(std::string clause) {
  return std::unexpected(policy::Error{policy::ErrorKind::kInvalidInput, std::move(clause)});
}

// What the serving certificate says, if it could be served as it stands, whoever signed it.
policy::Result<CertificateText> fit_to_serve(const Stored& stored,
                                             const std::string& certificate,
                                             const std::vector<std::string>& dns_names,
                                             std::chrono::sys_seconds now) {
  policy::Result<CertificateText> text = read_certificate(certificate);
  if (!text) return text;
  const policy::Result<void> key = check_key(certificate, stored.tls_key);
  if (!key) return std::unexpected(key.error());
  const auto served = net::make_server_tls({stored.tls_crt, stored.tls_key});
  if (!served) return std::unexpected(served.error());
  if (!text->is_for_servers) return unfit("it is not for TLS servers");
  for (const std::string& name : dns_names) {
    if (!covers(*text, name)) return unfit("it does not cover " + name);
  }
  if (text->not_after <= now) {
    return unfit("it has expired at " + policy::time_text(text->not_after));
  }
  return text;
}

void assess_next(const Stored& stored, std::chrono::sys_seconds now, Holdings& held) {
  if (stored.next_ca_crt.empty() && stored.next_ca_key.empty()) return;
  const auto certificates = split_bundle(stored.next_ca_crt);
  if (!certificates) {
    held.next_fault = certificates.error().message;
    return;
  }
  const std::string& certificate = certificates->front();
  const auto text = read_certificate(certificate);
  const auto key = check_key(certificate, stored.next_ca_key);
  if (certificate.size() > kMaxAuthorityBytes) {
    held.next_fault = "it is larger than 6 KiB";
  } else if (!text) {
    held.next_fault = text.error().message;
  } else if (!key) {
    held.next_fault = key.error().message;
  } else if (!text->is_authority) {
    held.next_fault = "it is no authority";
  } else if (text->not_after <= now) {
    held.next_fault = "it has expired at " + policy::time_text(text->not_after);
  } else if (text->not_before > now + kClockTolerance) {
    held.next_fault = "it is not valid before " + policy::time_text(text->not_before);
  } else if (!held.current || held.current->pair.certificate != certificate) {
    held.next = Authority{{certificate, stored.next_ca_key}, *text};
    held.next_since = policy::parse_time(stored.next_ca_since);
  }
}

// Finds the current authority by its key, or, where that is lost, by what it has signed.
void assess_current(const Stored& stored,
                    const std::vector<std::string>& dns_names,
                    std::chrono::sys_seconds now,
                    const std::vector<Authority>& authorities,
                    Holdings& held) {
  const auto chain = split_bundle(stored.tls_crt);
  const auto serving =
      chain ? fit_to_serve(stored, chain->front(), dns_names, now) : std::unexpected(chain.error());
  if (!serving) held.serving_fault = serving.error().message;
  const Authority* owner = owner_of_key(authorities, stored.ca_key);
  if (owner != nullptr && owner->text.not_after <= now) {
    held.current_fault = "the authority has expired at " + policy::time_text(owner->text.not_after);
    return;
  }
  if (owner != nullptr) {
    held.current = *owner;
    held.current->pair.key = stored.ca_key;
    if (!serving) return;
    const auto issued = check_issuer(chain->front(), owner->pair.certificate);
    if (issued) held.serving = *serving;
    if (!issued) held.serving_fault = issued.error().message;
    return;
  }
  held.current_fault = "no certificate in ca.crt belongs to ca.key";
  if (!serving) return;
  for (const Authority& authority : authorities) {
    if (authority.text.not_after <= now) continue;
    if (!check_issuer(chain->front(), authority.pair.certificate)) continue;
    held.current = authority;
    held.serving = *serving;
    return;
  }
}

}  // namespace

Holdings assess(const Stored& stored,
                const std::vector<std::string>& dns_names,
                std::chrono::sys_seconds now) {
  Holdings held;
  const std::vector<Authority> authorities = authorities_of(stored);
  if (!stored.ca_crt.empty()) {
    const auto strict = split_bundle(stored.ca_crt);
    if (!strict) held.bundle_fault = strict.error().message;
  }
  assess_current(stored, dns_names, now, authorities, held);
  assess_next(stored, now, held);
  for (const Authority& authority : authorities) {
    const std::string& certificate = authority.pair.certificate;
    const bool other = !(held.current && held.current->pair.certificate == certificate) &&
                       !(held.next && held.next->pair.certificate == certificate);
    held.has_expired |= authority.text.not_after <= now;
    if (other && authority.text.not_after > now) held.earlier.push_back(authority);
  }
  return held;
}

}  // namespace plimsoll::webhook::certificates
