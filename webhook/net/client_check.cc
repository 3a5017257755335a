#include "webhook/net/client_check.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/asio/ssl/error.hpp>
#include <openssl/ssl.h>

#include "policy/ascii.h"
#include "policy/printable.h"
#include "webhook/net/tls.h"

namespace plimsoll::webhook::net {
namespace {

namespace ssl = boost::asio::ssl;

std::string_view view_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

bool is_same_host(std::string_view one, std::string_view other) {
  return std::ranges::equal(
      one, other, [](char a, char b) { return policy::to_lower(a) == policy::to_lower(b); });
}

// Calls `see` with the text of each common name until it is true.
template <class See>
bool any_common_name(X509* certificate, See see) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  for (; at >= 0; at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) {
    const ASN1_STRING* name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    unsigned char* bytes = nullptr;
    const int length = ASN1_STRING_to_UTF8(&bytes, name);
    const OpenSslOwned<unsigned char> owned(bytes);
    if (length < 0) continue;
    if (see({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)})) return true;
  }
  return false;
}

template <class See>
bool any_dns_name(X509* certificate, See see) {
  const OpenSslOwned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS && see(view_of(name->d.dNSName))) return true;
  }
  return false;
}

// What a certificate calls itself, for people: its common name, or else its first DNS name.
std::string own_name(X509* certificate) {
  std::string found;
  const auto take = [&found](std::string_view name) {
    found = name;
    return !found.empty();
  };
  if (!any_common_name(certificate, take)) any_dns_name(certificate, take);
  return found;
}

}  // namespace

bool has_name_of(X509* certificate, const std::vector<std::string>& names) {
  const auto is_common = [&names](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  const auto is_dns = [&names](std::string_view name) {
    return std::ranges::any_of(
        names, [name](const std::string& allowed) { return is_same_host(allowed, name); });
  };
  ERR_set_mark();  // what a handshake finds in the queue of errors it takes for its own
  const bool has = any_common_name(certificate, is_common) || any_dns_name(certificate, is_dns);
  ERR_pop_to_mark();
  return has;
}

void ClientCheck::demand_of(TlsStream& stream) {
  // No list of authorities is sent: a client with one certificate would then hide it, and nobody
  // could be told why it is not trusted.
  SSL* native = stream.native_handle();
  SSL_set1_verify_cert_store(native, authorities_->native().store.get());
  SSL_set_max_cert_list(native, kMaxPemBytes);
  stream.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  stream.set_verify_depth(kMaxClientChain);
  stream.set_verify_callback([this](bool verified, ssl::verify_context& context) {
    return judge(verified, context.native_handle());
  });
}

// Called by OpenSSL for each certificate of the chain, the client's own last, and for each fault.
bool ClientCheck::judge(bool verified, X509_STORE_CTX* context) noexcept {
  if (!verified) {
    fault_ = X509_STORE_CTX_get_error(context);
    depth_ = X509_STORE_CTX_get_error_depth(context);
    return false;
  }
  const std::vector<std::string>& names = authorities_->names();
  if (names.empty() || X509_STORE_CTX_get_error_depth(context) > 0) return true;
  X509* own = X509_STORE_CTX_get_current_cert(context);
  if (has_name_of(own, names)) return true;
  X509_up_ref(own);
  named_.reset(own);
  fault_ = X509_V_ERR_HOSTNAME_MISMATCH;  // the client is told by the alert bad_certificate
  X509_STORE_CTX_set_error(context, fault_);
  return false;
}

std::string ClientCheck::refusal(const boost::system::error_code& error) const {
  if (named_) {
    const std::string name = own_name(named_.get());
    if (name.empty()) return "a certificate without a name is not allowed";
    return "name " + policy::quoted(name) + " is not allowed";
  }
  if (fault_ != X509_V_OK) {
    return std::string("not trusted: ") + X509_verify_cert_error_string(fault_) +
           (depth_ > 0 ? ", of an authority above it" : "");
  }
  const bool of_tls = error.category() == boost::asio::error::get_ssl_category();
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return of_tls && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? "no certificate" : "";
}

}  // namespace plimsoll::webhook::net
