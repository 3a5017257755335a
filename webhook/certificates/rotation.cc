#include "webhook/certificates/rotation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "policy/dates.h"
#include "policy/printable.h"
#include "webhook/certificates/holdings.h"
#include "webhook/net/x509_maker.h"

namespace plimsoll::webhook::certificates {
namespace {

using policy::time_span_text;
using policy::time_text;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr seconds kMostUntilTrustLook{10};  // while a caBundle lacks the next authority

sys_seconds renewal_time(const CertificateText& certificate) {
  return certificate.not_before + (certificate.not_after - certificate.not_before) / 3 * 2;
}

std::string left_of(const CertificateText& certificate, sys_seconds now) {
  return time_span_text(certificate.not_after - now) + " left of " +
         time_span_text(certificate.not_after - certificate.not_before);
}

// Made by a clock that was ahead of ours.
bool is_early(const CertificateText& certificate, sys_seconds now) {
  return certificate.not_before > now + kClockTolerance;
}

// Empty unless the certificate's time has come.
std::string due(const CertificateText& certificate, sys_seconds now) {
  if (is_early(certificate, now)) {
    return "it is not valid before " + time_text(certificate.not_before);
  }
  return now >= renewal_time(certificate) ? left_of(certificate, now) : "";
}

bool holds(const std::string& bundle, const std::string& certificate) {
  const auto certificates = split_bundle(bundle);
  return certificates && std::ranges::find(*certificates, certificate) != certificates->end();
}

policy::Result<void> check(const Terms& terms) {
  const auto refused = [](std::string message) {
    return std::unexpected(policy::Error{policy::ErrorKind::kInvalidInput, std::move(message)});
  };
  if (terms.dns_names.empty() || terms.dns_names.size() > kMaxDnsNames) {
    return refused("a serving certificate has 1 to 64 DNS names");
  }
  for (const std::string& name : terms.dns_names) {
    if (!is_dns_name(name)) return refused(policy::quoted(name) + " is no DNS name");
  }
  if (terms.authority_name.empty() || terms.authority_name.size() > net::kMaxCommonName) {
    return refused("the name of an authority has 1 to 64 characters");
  }
  if (std::min(terms.authority_life, terms.serving_life) < kLeastLife) {
    return refused("a certificate lives for 10 seconds or longer");
  }
  if (std::min(terms.backdate, terms.trust_delay) < seconds(0)) {
    return refused("backdate and trust delay are not negative");
  }
  return {};
}

// One decision. Each part changes what is held and wanted, and says why in a sentence.
class Planner {
 public:
  Planner(const Stored& stored, const Trusted& trusted, const Terms& terms, sys_seconds now)
      : stored_(stored),
        trusted_(trusted),
        terms_(terms),
        now_(now),
        held_(assess(stored, terms.dns_names, now)),
        wanted_(stored) {}

  policy::Result<Step> decide() {
    policy::Result<void> done = held_.current ? keep_going() : start_anew();
    if (!done) return std::unexpected(done.error());
    return finish();
  }

 private:
  policy::Result<void> start_anew();
  policy::Result<void> keep_going();
  policy::Result<void> prepare_next();
  policy::Result<void> watch_trust();
  policy::Result<void> promote(const std::string& why);
  policy::Result<void> renew_serving();
  policy::Result<Authority> new_authority() const;
  policy::Result<void> issue();
  sys_seconds begin(sys_seconds end) const {
    return now_ - std::min(terms_.backdate, (end - now_) / 2);
  }
  sys_seconds serving_end() const {
    return std::min(now_ + terms_.serving_life, held_.current->text.not_after);
  }
  // False without a key, and where a new certificate would not last longer than the old one does.
  bool gains_by_renewal() const {
    return !held_.current->pair.key.empty() && serving_end() > held_.serving->not_after;
  }
  void write_authorities();
  seconds until_look() const;
  std::string tidied() const;
  Step finish();

  const Stored& stored_;
  const Trusted& trusted_;
  const Terms& terms_;
  const sys_seconds now_;
  Holdings held_;
  Stored wanted_;
  std::vector<std::string> said_;  // what changes, and why
  std::string waiting_;            // what for
};

policy::Result<Authority> Planner::new_authority() const {
  const sys_seconds end = now_ + terms_.authority_life;
  policy::Result<KeyPair> pair = make_authority(terms_.authority_name, begin(end), end);
  if (!pair) return std::unexpected(pair.error());
  const policy::Result<CertificateText> text = read_certificate(pair->certificate);
  if (!text) return std::unexpected(text.error());
  return Authority{std::move(*pair), *text};
}

// A serving certificate under the current authority.
policy::Result<void> Planner::issue() {
  const sys_seconds end = serving_end();
  policy::Result<KeyPair> pair =
      issue_serving(held_.current->pair, terms_.dns_names, begin(end), end);
  if (!pair) return std::unexpected(pair.error());
  const policy::Result<CertificateText> text = read_certificate(pair->certificate);
  if (!text) return std::unexpected(text.error());
  held_.serving = *text;
  wanted_.tls_crt = std::move(pair->certificate);
  wanted_.tls_key = std::move(pair->key);
  return {};
}

policy::Result<void> Planner::promote(const std::string& why) {
  if (held_.current) {
    held_.current->pair.key.clear();
    held_.earlier.insert(held_.earlier.begin(), *held_.current);
  }
  held_.current = std::exchange(held_.next, std::nullopt);
  held_.next_since.reset();
  said_.push_back("the next authority took over and signed a serving certificate: " + why);
  return issue();
}

policy::Result<void> Planner::start_anew() {
  if (held_.next) return promote(held_.current_fault);
  policy::Result<Authority> made = new_authority();
  if (!made) return std::unexpected(made.error());
  held_.current = std::move(*made);
  const bool first = stored_ == Stored{};
  said_.push_back("made an authority and a serving certificate: " +
                  (first ? "there are none yet" : held_.current_fault));
  return issue();
}

policy::Result<void> Planner::keep_going() {
  policy::Result<void> done = prepare_next();
  const std::string before = held_.current->pair.certificate;
  if (done && held_.next) done = watch_trust();
  const bool promoted = before != held_.current->pair.certificate;
  if (done && !promoted) done = renew_serving();
  return done;
}

policy::Result<void> Planner::prepare_next() {
  if (held_.next) return {};
  const bool lost = held_.current->pair.key.empty();
  const std::string why = lost ? held_.current_fault : due(held_.current->text, now_);
  if (!held_.next_fault.empty()) {
    said_.push_back("gave up the stored next authority: " + held_.next_fault);
  }
  if (why.empty()) return {};
  policy::Result<Authority> made = new_authority();
  if (!made) return std::unexpected(made.error());
  held_.next = std::move(*made);
  held_.next_since.reset();
  said_.push_back("made the next authority, to be used when every caBundle holds it: " + why);
  return {};
}

// Sees whether the next authority can be used, and if not yet, what for it waits.
policy::Result<void> Planner::watch_trust() {
  const std::string& certificate = held_.next->pair.certificate;
  const auto holding = std::ranges::count_if(
      trusted_.bundles, [&certificate](const auto& bundle) { return holds(bundle, certificate); });
  const std::size_t all = trusted_.bundles.size();
  if (all == 0) {
    waiting_ = "it is not known what the API server trusts";
    return {};
  }
  if (static_cast<std::size_t>(holding) < all) {
    waiting_ = std::to_string(holding) + " of " + std::to_string(all) + " caBundles hold it";
    if (held_.next_since) said_.emplace_back("the next authority is no longer in every caBundle");
    held_.next_since.reset();
    return {};
  }
  if (!held_.next_since || *held_.next_since > now_) {
    held_.next_since = now_;
    said_.emplace_back("every caBundle holds the next authority");
  }
  const seconds left = *held_.next_since + terms_.trust_delay - now_;
  if (left <= seconds(0)) return promote("every caBundle holds it");
  waiting_ = "every caBundle holds it, it is used in " + time_span_text(left);
  return {};
}

policy::Result<void> Planner::renew_serving() {
  if (held_.current->pair.key.empty()) return {};
  std::string why = held_.serving_fault;
  const bool worth_it = held_.serving && (is_early(*held_.serving, now_) || gains_by_renewal());
  if (worth_it) why = due(*held_.serving, now_);
  if (why.empty()) return {};
  said_.push_back("renewed the serving certificate: " + why);
  return issue();
}

// The authorities as the Secret has to hold them.
void Planner::write_authorities() {
  std::vector<std::string> bundle = {held_.current->pair.certificate};
  wanted_.ca_key = held_.current->pair.key;
  wanted_.next_ca_crt.clear();
  wanted_.next_ca_key.clear();
  wanted_.next_ca_since.clear();
  if (held_.next) {
    wanted_.next_ca_crt = held_.next->pair.certificate;
    wanted_.next_ca_key = held_.next->pair.key;
    if (held_.next_since) wanted_.next_ca_since = time_text(*held_.next_since);
    bundle.push_back(wanted_.next_ca_crt);
  }
  if (held_.earlier.size() > kMaxEarlierAuthorities) held_.earlier.resize(kMaxEarlierAuthorities);
  for (const Authority& authority : held_.earlier) bundle.push_back(authority.pair.certificate);
  wanted_.ca_crt = join_bundle(bundle);
}

seconds Planner::until_look() const {
  const seconds look_for_trust =
      std::clamp(terms_.trust_delay / 4, kLeastUntilLook, kMostUntilTrustLook);
  sys_seconds next = std::min(held_.current->text.not_after, held_.serving->not_after);
  // From then on a new one lasts longer than this one, as long as its authority does.
  const sys_seconds gains_from = held_.serving->not_after - terms_.serving_life + seconds(1);
  const bool can_gain =
      !held_.current->pair.key.empty() && held_.current->text.not_after > held_.serving->not_after;
  if (can_gain) next = std::min(next, std::max(renewal_time(*held_.serving), gains_from));
  if (!held_.next) next = std::min(next, renewal_time(held_.current->text));
  if (held_.next && held_.next_since) next = std::min(next, *held_.next_since + terms_.trust_delay);
  if (held_.next && !held_.next_since) next = std::min(next, now_ + look_for_trust);
  for (const Authority& authority : held_.earlier) next = std::min(next, authority.text.not_after);
  return std::clamp(next - now_, kLeastUntilLook, kMostUntilLook);
}

// Why something is written although no certificate changes.
std::string Planner::tidied() const {
  if (!held_.bundle_fault.empty()) return "wrote ca.crt anew: " + held_.bundle_fault;
  if (held_.has_expired) return "dropped what has expired from the bundle";
  return "put in order what is stored";
}

Step Planner::finish() {
  write_authorities();
  Step step;
  step.bundle = wanted_.ca_crt;
  step.until_look = until_look();
  if (wanted_ != stored_) {
    step.kind = Step::Kind::kWriteSecret;
    step.data = data_of(wanted_);
    if (said_.empty()) said_.push_back(tidied());
    for (const std::string& sentence : said_) {
      step.reason += (step.reason.empty() ? "" : "; ") + sentence;
    }
    return step;
  }
  step.kind = held_.next ? Step::Kind::kWait : Step::Kind::kNothing;
  step.reason = held_.next ? "the next authority waits to be used: " + waiting_
                           : "the serving certificate has " + left_of(*held_.serving, now_);
  return step;
}

}  // namespace

policy::Result<Step> plan(const Stored& stored,
                          const Trusted& trusted,
                          const Terms& terms,
                          std::chrono::sys_seconds now) {
  const policy::Result<void> sound = check(terms);
  if (!sound) return std::unexpected(sound.error());
  policy::Result<Step> step = Planner(stored, trusted, terms, now).decide();
  if (step || (stored.ca_key.empty() && stored.next_ca_key.empty())) return step;
  // What is stored looks like authorities, but cannot sign: they are as good as without keys.
  Stored without_keys = stored;
  without_keys.ca_key.clear();
  without_keys.next_ca_key.clear();
  policy::Result<Step> second = Planner(without_keys, trusted, terms, now).decide();
  if (second) second->reason = "cannot sign: " + step.error().message + "; " + second->reason;
  return second;
}

}  // namespace plimsoll::webhook::certificates
