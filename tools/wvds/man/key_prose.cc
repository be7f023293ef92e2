#include "tools/wvds/man/prose.h"

namespace wvds::tool {
namespace {

constexpr JsonField kMadeKey{"key", "the new key's number"};

}  // namespace

std::vector<Prose> key_command_prose() {
  return {
      {"key",
       R"(Keys live in the service; these commands make, show and end them.
A key is named by its number or its label.
Private and AES keys never leave the service: there is no export.)",
       {{"The life of a key:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds key rotate archive\n"
         "wvds key info archive\n"
         "wvds key retire archive\n"
         "wvds key delete archive"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-generate(1)", "wvds-key-list(1)", "wvds-key-info(1)"}},
      {"key generate",
       R"(Makes a key in the service and prints its number.
An AES key is for data at rest, which is read again and again: it remembers no nonces, unless --replay-window asks for it.
A key with a replay window decrypts each message once; a copy of it is refused.

What a key may be used for is fixed when it is made.
An ML-KEM key is either for decaps-raw, which hands the shared secret out, or for decaps-to-key, which keeps it inside.

With --inside-token the private key is made in the PKCS#11 token that protects the store and never leaves it: wvds capabilities tells which algorithms the token offers, and wvds key info where a key is.
Each use takes as long as the token does, and such a key signs at most 58,050 bytes at once.

So are its limits.
--max-uses bounds what each version does with its secret: encryptions, signatures or decapsulations.
Between --not-before and --not-after the key can be used for everything; afterwards it only decrypts, verifies and decapsulates.
The service compares the dates with its own machine's clock.
Rotating makes a version with the same number of uses afresh, and moves no date.)",
       {{"A key for backups, and one to sign with:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds key generate ML-DSA-65 --label signer --public signer.pub"},
        {"A key that signs for 90 days, a thousand times:",
         "wvds key generate ML-DSA-65 --label release --not-after 90d --max-uses 1000"},
        {"The number for a script:", "key=$(wvds key generate AES-256-GCM --json | jq .key)"}},
       {kMadeKey},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-import(1)", "wvds-key-rotate(1)", "wvds-encrypt(1)", "wvds-sign(1)"}},
      {"key import",
       R"(Brings a key into the service and prints its number.
The configuration must grant key-import; wipe the file afterwards.)",
       {{"An AES key:",
         "head -c 32 /dev/urandom > material\n"
         "wvds key import AES-256-GCM material --format raw --label old-archive\n"
         "shred -u material"},
        {"Somebody else's public key:",
         "wvds key generate ML-DSA-65 --public theirs.pub\n"
         "wvds key import ML-DSA-65 theirs.pub --format public --label partner"}},
       {kMadeKey},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-generate(1)"}},
      {"key rotate",
       R"(Makes a new version of a key and prints its number.
Encryption and signing use the newest version; older ones still decrypt and verify.
A key has at most four versions: delete the oldest first.
A key whose --not-after is over is not rotated: make a new one.
ML-KEM keys can't be rotated; make a new one.)",
       {{"A new version:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds key rotate archive"}},
       {{"key", "the key's number"}, {"version", "the new version"}},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-info(1)", "wvds-key-delete(1)"}},
      {"key list",
       R"(Lists the keys that this user owns or was granted.)",
       {{"The labels of all keys that sign:",
         "wvds key generate ML-DSA-65 --label signer\n"
         "wvds key list --json | jq -r '.keys[] | select(.usages | index(\"sign\")) | .label'"}},
       {{"keys[].key", "number"},
        {"keys[].algorithm", "name of FIPS 203, 204, or AES-256-GCM"},
        {"keys[].lifetime", "persistent, volatile or session"},
        {"keys[].versions", "how many there are"},
        {"keys[].usages", "words, as --usage takes them"},
        {"keys[].label", "text, or empty"}},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-info(1)"}},
      {"key info",
       R"(Describes a key and its versions.
Uses are an upper bound: those that the service has reserved ahead count.)",
       {{"How much a key was used:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds key info archive"}},
       {{"key", "number"},
        {"label", "text, or empty"},
        {"algorithm", "name of FIPS 203, 204, or AES-256-GCM"},
        {"usages", "words, as --usage takes them"},
        {"lifetime", "persistent, volatile or session"},
        {"place", "where the secret is at rest: memory, file, tpm, hsm-wrapped or hsm-inside"},
        {"provider", "who serves the algorithm, name and version"},
        {"is_inside_fips", "whether that is OpenSSL's FIPS module"},
        {"owner", "the client that made it"},
        {"replay_window", "AES only: whether each message decrypts once only"},
        {"max_uses", "of each version, as the key was made with; 0: no limit but the service's"},
        {"not_before", "RFC 3339, or null: the key can't be used before"},
        {"not_after", "RFC 3339, or null: the key protects nothing new after"},
        {"versions[].number", "newest first"},
        {"versions[].state", "active or retired"},
        {"versions[].uses", "encryptions, signatures or decapsulations, an upper bound; 0 where they are not counted"},
        {"versions[].use_limit", "how many are allowed; 0: no limit"},
        {"versions[].window_used", "nonces remembered"},
        {"versions[].window_capacity", "0: no replay window"}},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-list(1)", "wvds-key-rotate(1)"}},
      {"key public",
       R"(Writes the raw public key of an ML-DSA or ML-KEM key, as FIPS 204 and FIPS 203 encode it; of an ECDSA key the uncompressed point (SEC 1).)",
       {{"For somebody who verifies:",
         "wvds key generate ML-DSA-65 --label signer\n"
         "wvds key public signer -o signer.pub"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-verify(1)", "wvds-encaps(1)"}},
      {"key retire",
       R"(Ends encryption, signing and encapsulation with a key, for good.
Decryption, verification and decapsulation go on.)",
       {{"Old data stays readable:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds encrypt archive notes.txt -o notes.wvds\n"
         "wvds key retire archive\n"
         "wvds decrypt notes.wvds | cmp - notes.txt"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-delete(1)"}},
      {"key delete",
       R"(Deletes a key, or one of its versions, for good.
What it encrypted can't be read any more.)",
       {{"The oldest version:",
         "wvds key generate AES-256-GCM --label archive\n"
         "wvds key rotate archive\n"
         "wvds key delete archive --version 1"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-key-retire(1)"}},
  };
}

}  // namespace wvds::tool
