#pragma once

#include "config/est_section.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "est_service/key_service.h"
#include "est_service/server.h"

namespace wvds::est_service {

// read_password reads the file that a password is handed over in, without one line end after it. kStorageError when it
// can't be read, is empty, or, on Linux, can be read by anybody but this user and root.
Result<crypto::LockedBytes> read_password(const std::string& path);

// read_certificates reads a PEM file.
est::Outcome<std::vector<est::Certificate>> read_certificates(const crypto::Library& library, const std::string& path);

// read_file_identity reads the certificate of the configuration's credential, and its key: from a file that nobody else
// can read, or opened in crypto_service.
est::Outcome<Identity> read_file_identity(const crypto::Library& library, const config::EstCredential& credential,
                                          KeyService& keys);

// save_credential replaces the configuration's certificate_file in one step. Its folder must be this user's to write.
// kStorage where there is no such folder, as on L4Re.
est::Outcome<> save_credential(const std::string& path, const std::string& pem);

}  // namespace wvds::est_service
