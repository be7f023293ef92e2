#include "est_service/folder.h"

#include "base/wiped.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr const char* kTrust = "";

Outcome<> storage_outcome(const Result<>& done) {
  if (!done) return failed(FailureKind::kStorage, done.error().detail);
  return {};
}

}  // namespace

// A missing record, and an empty one, is a state as it is at the beginning.
template <class State>
std::expected<State, Unread> Folder::read(const std::string& name,
                                          Outcome<State> (*state_from)(const crypto::Library&,
                                                                       std::string_view)) const {
  const auto text = records_->read(name);
  if (!text && text.error().status == Status::kKeyNotFound) return State{};
  if (!text) return std::unexpected(Unread{text.error().detail});
  if (text->empty()) return State{};
  auto state = state_from(library_, text_of(*text));
  if (!state) return std::unexpected(Unread{records_->place_of(name) + " " + state.error().detail, true});
  return std::move(*state);
}

std::expected<CertificateState, Unread> Folder::read_certificate(const std::string& name) const {
  return read(name, certificate_state_from);
}

std::expected<TrustState, Unread> Folder::read_trust() const { return read(kTrust, trust_state_from); }

Outcome<> Folder::set_certificate_aside(const std::string& name) { return storage_outcome(records_->set_aside(name)); }
Outcome<> Folder::set_trust_aside() { return storage_outcome(records_->set_aside(kTrust)); }

Outcome<> Folder::save_certificate(const std::string& name, const CertificateState& state) {
  return storage_outcome(records_->replace(name, as_bytes(to_text(state))));
}

Outcome<> Folder::save_trust(const TrustState& state) {
  return storage_outcome(records_->replace(kTrust, as_bytes(to_text(state))));
}

}  // namespace wvds::est_service
