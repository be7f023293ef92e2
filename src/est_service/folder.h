#pragma once

#include <memory>
#include <string>

#include "est_service/records.h"
#include "est_service/state.h"

namespace wvds::est_service {

// Folder keeps the states: it turns them into the texts of records, and back. One thread.
class Folder {
 public:
  Folder(const crypto::Library& library, std::unique_ptr<Records> records)
      : library_(library), records_(std::move(records)) {}

  // read_* give what was saved last; a state as it is at the beginning where nothing was. A record that can't be read
  // is kStorage, and stays as it is: a person must look.
  est::Outcome<CertificateState> read_certificate(const std::string& name) const;
  est::Outcome<TrustState> read_trust() const;

  // set_*_aside puts a record that can't be read elsewhere.
  est::Outcome<> set_certificate_aside(const std::string& name);
  est::Outcome<> set_trust_aside();

  est::Outcome<> save_certificate(const std::string& name, const CertificateState& state);
  est::Outcome<> save_trust(const TrustState& state);

 private:
  template <class State>
  est::Outcome<State> read(const std::string& name,
                           est::Outcome<State> (*state_from)(const crypto::Library&, std::string_view)) const;

  const crypto::Library& library_;
  const std::unique_ptr<Records> records_;
};

}  // namespace wvds::est_service
