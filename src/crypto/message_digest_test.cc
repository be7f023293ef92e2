#include "crypto/message_digest.h"

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

class MessageDigestOf : public LibraryTest {
 protected:
  std::string digest(Hash hash, std::initializer_list<std::string_view> pieces) const {
    const auto started = MessageDigest::start(library(), hash);
    EXPECT_TRUE(started) << why(started);
    for (const std::string_view piece : pieces) EXPECT_TRUE((*started)->update(as_bytes(piece)));
    const auto value = (*started)->finish();
    EXPECT_TRUE(value) << why(value);
    return to_hex(value->digest());
  }
};
WVDS_IN_BOTH_MODES(MessageDigestOf);

// The examples of FIPS 180-4 for "abc"
TEST_P(MessageDigestOf, AbcIsThatOfTheStandard) {
  EXPECT_EQ(digest(Hash::kSha256, {"abc"}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest(Hash::kSha384, {"abc"}),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(digest(Hash::kSha512, {"abc"}),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_P(MessageDigestOf, PiecesIsThatOfTheWhole) {
  for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512}) {
    EXPECT_EQ(digest(hash, {"a", "", "bc"}), digest(hash, {"abc"}));
    EXPECT_EQ(digest(hash, {}), digest(hash, {""}));
  }
}

TEST_P(MessageDigestOf, WhatIsNoHashIsRefused) {
  for (const Hash none : {Hash::kNone, static_cast<Hash>(4)}) {
    EXPECT_EQ(status_of(MessageDigest::start(library(), none)), Status::kInvalidPayload);
  }
}

}  // namespace
}  // namespace wvds::crypto
