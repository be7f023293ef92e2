#pragma once

#include <optional>
#include <string>

#include "tools/wvds/message_mu.h"

// ECDSA in the commands sign and verify. Messages that one request does not take are hashed here and signed by their
// digest: the signature is the same kind.
namespace wvds::tool {

bool is_ecdsa_key(wvds_algorithm algorithm);

// hash_words are those of --hash. hash_of gives the hash of a word; for an empty one the usual hash of the curve.
std::vector<std::string> hash_words();
wvds_hash hash_of(const std::string& word, wvds_algorithm algorithm);

// sign_ecdsa and verify_ecdsa read the message to its end. `what` begins the message of a failure.
Outcome<Buffer> sign_ecdsa(const Session& session, uint32_t id, Message& message, wvds_hash hash,
                           const std::string& what);
Outcome<wvds_status> verify_ecdsa(const Session& session, const wvds_public_key& key, ByteView signature,
                                  Message& message, wvds_hash hash);

}  // namespace wvds::tool
