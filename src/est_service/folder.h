#pragma once

#include <expected>
#include <memory>
#include <string>

#include "est_service/records.h"
#include "est_service/state.h"

namespace wvds::est_service {

// Unread says why there is no state.
struct Unread {
  std::string detail;
  bool damaged = false;  // the record was read, and is none; otherwise it may be whole
};

// Folder keeps the states: it turns them into the texts of records, and back. One thread.
class Folder {
 public:
  Folder(const crypto::Library& library, std::unique_ptr<Records> records)
      : library_(library), records_(std::move(records)) {}

  // read_* give what was saved last; a state as it is at the beginning where nothing was. Whatever is wrong
  // with a record, it stays as it is.
  std::expected<CertificateState, Unread> read_certificate(const std::string& name) const;
  std::expected<TrustState, Unread> read_trust() const;

  // set_*_aside puts a damaged record elsewhere.
  est::Outcome<> set_certificate_aside(const std::string& name);
  est::Outcome<> set_trust_aside();

  est::Outcome<> save_certificate(const std::string& name, const CertificateState& state);
  est::Outcome<> save_trust(const TrustState& state);

 private:
  template <class State>
  std::expected<State, Unread> read(const std::string& name,
                                    est::Outcome<State> (*state_from)(const crypto::Library&, std::string_view)) const;

  const crypto::Library& library_;
  const std::unique_ptr<Records> records_;
};

}  // namespace wvds::est_service
