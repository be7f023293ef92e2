#pragma once

#include <memory>

#include "est_service/state.h"
#include "platform/disk.h"

namespace wvds::est_service {

// Folder keeps the states, each in a file that is replaced in one step: a crash at any instant leaves the one before or
// the new one. One thread.
class Folder {
 public:
  // open makes the folder where it is missing, and claims it: kStorage when another process has it. `disk` outlives the
  // folder.
  static est::Outcome<Folder> open(const crypto::Library& library, platform::Disk& disk);

  // read_* give what was saved last; a state as it is at the beginning where nothing was. A file that can't be read is
  // kStorage, and stays as it is: a person must look.
  est::Outcome<CertificateState> read_certificate(const std::string& name) const;
  est::Outcome<TrustState> read_trust() const;

  // set_*_aside renames a file that can't be read: ".damaged" behind its name.
  est::Outcome<> set_certificate_aside(const std::string& name);
  est::Outcome<> set_trust_aside();

  est::Outcome<> save_certificate(const std::string& name, const CertificateState& state);
  est::Outcome<> save_trust(const TrustState& state);

 private:
  Folder(const crypto::Library& library, platform::Disk& disk) : library_(library), disk_(disk) {}

  est::Outcome<std::string> read(const std::string& file) const;
  est::Outcome<> set_aside(const std::string& file);
  est::Outcome<> save(const std::string& file, const std::string& text);

  const crypto::Library& library_;
  platform::Disk& disk_;
};

}  // namespace wvds::est_service
