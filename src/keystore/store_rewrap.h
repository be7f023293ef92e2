#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "keystore/store_headers.h"
#include "platform/disk.h"

// Giving a store another protector, with the store at rest: docs/storage-format.md, "Another protector".
namespace wvds::keystore {

// ProtectorChoice gives the protectors that may open a header of a kind, in the order in which they are to be tried;
// an error, which says what is missing, where there is none.
using ProtectorChoice = std::function<Result<std::vector<Protector*>>(Place)>;

// OpenedStore is a store's key and the header that gave it.
struct OpenedStore {
  crypto::LockedBytes key;
  HeaderCopy header;
  const StoreId& id() const { return header.view.store; }
};

// open_store tries the newer header first, then the other, each with every protector of its kind. It changes nothing.
// kKeyNotFound where there is no header at all; else the error of what was tried first.
Result<OpenedStore> open_store(Medium& medium, const crypto::Library& library, const ProtectorChoice& protectors);

// Rewrap is a change of the protector.
struct Rewrap {
  const crypto::Library& library;          // `next` makes its key with it
  Protector& next;                         // by which the store opens afterwards
  std::function<Result<>()> between = {};  // done when header-a has the new protector, and header-b the old one
};

// rewrap_store writes both headers for another protector, and no other blob. At any instant one of the headers opens by
// the protector that `opened` was opened with, or both open by `next`; so whatever interrupts it, open_store succeeds
// with the two, and doing it again completes it. On failure the store may be in that state between.
Result<> rewrap_store(Medium& medium, const OpenedStore& opened, const Rewrap& change);

// SecretFile is the file that config.json names, and what is to be in it from now on.
struct SecretFile {
  platform::Disk& folder;  // in use
  std::string name;
  Bytes content;
  std::function<std::unique_ptr<Protector>(const std::string& name)> protector;  // on a file of that folder
};

// change_secret gives the store a protector of the same kind with another secret, and puts that into the file. The new
// secret is first written beside the file, under its name and ".next". Interrupted anywhere, the store opens with what
// is then in the file. On failure, too.
Result<> change_secret(Medium& medium, const OpenedStore& opened, const crypto::Library& library,
                       const SecretFile& secret);

}  // namespace wvds::keystore
