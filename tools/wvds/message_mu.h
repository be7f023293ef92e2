#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "crypto/library.h"
#include "tools/wvds/files.h"
#include "tools/wvds/service.h"

// Messages that one request does not take are signed and verified by their mu (FIPS 204, algorithm 7, line 6): the
// result is an ordinary ML-DSA signature of the message.
namespace wvds::tool {

// Message is the input of sign and verify: all of a short one, or the beginning of a long one.
struct Message {
  Input input;
  Buffer beginning;
  bool is_whole = false;
};

Outcome<Message> open_message(const std::string& path);

// read_message hands all of the message to `take`, in pieces, and shows the progress.
Outcome<> read_message(Message& message, const std::function<Outcome<>(ByteView)>& take);

// small_library is for hashing, which keeps no secrets; `name` begins the message of a failure.
Outcome<std::unique_ptr<crypto::Library>> small_library(const std::string& name);

// MuKey is one public key that a mu is wanted for.
struct MuKey {
  wvds_algorithm algorithm = 0;
  Buffer bytes;
};

// mu_keys asks for the public key of each version of a key, the newest first; newest_mu_key only for that one.
Outcome<std::vector<MuKey>> mu_keys(const Session& session, uint32_t key_id);
Outcome<MuKey> newest_mu_key(const Session& session, uint32_t key_id, wvds_algorithm algorithm);

using Mu = std::array<uint8_t, WVDS_MLDSA_MU_SIZE>;

// mus_of reads the message to its end, once, and gives its mu for each of the keys.
Outcome<std::vector<Mu>> mus_of(Message& message, const std::vector<MuKey>& keys, const std::string& context);

}  // namespace wvds::tool
