#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wvds::est_service {

// Records keeps one text for each certificate, by the certificate's name, and one for the CA's certificates, by the
// empty name. Each is replaced in one step: a crash at any instant leaves the one before or the new one. Blocking; one
// thread. Every failure is kStorageError with a detail that names the record and the cause, unless said otherwise.
class Records {
 public:
  virtual ~Records() = default;

  // place_of is what messages call a record.
  virtual std::string place_of(const std::string& name) const = 0;

  // read returns the whole record; kKeyNotFound when there is none.
  virtual Result<std::vector<std::byte>> read(const std::string& name) = 0;

  // replace is durable on success.
  virtual Result<> replace(const std::string& name, Bytes text) = 0;

  // set_aside keeps a record that is there in another place, where a person finds it; afterwards there is none.
  virtual Result<> set_aside(const std::string& name) = 0;
};

}  // namespace wvds::est_service
