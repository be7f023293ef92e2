#include "tools/wvds/man/prose.h"

namespace wvds::tool {

std::vector<Prose> data_command_prose() {
  return {
      {"encrypt",
       R"(Encrypts a file of any size, in chunks, and names the key in the result.
Chunks that are missing, exchanged or of another file are found when it is decrypted.

The output appears under its name when it is whole; where it goes to a pipe, the exit status tells.
The service makes every nonce; to encrypt the same file twice gives different bytes.
The configuration must grant aes-encrypt and random.)",
       {{"A backup of a folder:",
         "wvds key generate AES-256-GCM --label archive\n"
         "tar -cf - notes.txt | wvds encrypt archive -o notes.tar.wvds"},
        {"With text that has to be given again to decrypt:",
         "wvds encrypt archive notes.txt --aad 'meter 7' -o notes.wvds\n"
         "wvds decrypt notes.wvds --aad 'meter 7' | cmp - notes.txt"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-decrypt(1)", "wvds-key-generate(1)"}},
      {"decrypt",
       R"(Decrypts what wvds encrypt wrote.
The file names its key; --key is for a key that was imported again under another number.

A file that was changed, cut or put together from others is refused, and no output file is left.
Where the output is a pipe, what came before the mistake is authentic but not the whole: look at the exit status.
The output is for its owner only, and replaces nothing without --force.)",
       {{"Unpack a backup:",
         "wvds key generate AES-256-GCM --label archive\n"
         "tar -cf - notes.txt | wvds encrypt archive -o notes.tar.wvds\n"
         "wvds decrypt notes.tar.wvds | tar -tf -"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-encrypt(1)"}},
      {"sign",
       R"(Signs a file with an ML-DSA key (FIPS 204) and writes the raw signature, or with an ECDSA key (FIPS 186-5) and writes the signature in DER.
A longer file than one request takes is signed through its mu, for which an ML-DSA key needs the usage sign-mu, with ECDSA through its digest;
the signature is the same kind, and any implementation of the standard verifies it.)",
       {{"Sign and verify:",
         "wvds key generate ML-DSA-65 --label signer --public signer.pub\n"
         "wvds sign signer notes.txt -o notes.sig\n"
         "wvds verify notes.sig notes.txt --public signer.pub"},
        {"With ECDSA, for those who can't verify ML-DSA yet:",
         "wvds key generate ECDSA-P256 --label today --public today.pub\n"
         "wvds sign today notes.txt --hash sha256 -o notes.der\n"
         "wvds verify notes.der notes.txt --public today.pub --hash sha256"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-verify(1)", "wvds-key-generate(1)"}},
      {"verify",
       R"(Checks an ML-DSA or ECDSA signature with a key of the service or with a raw public key in a file.
The length of a raw public key says its parameter set or curve; that of ECDSA is an uncompressed point.)",
       {{"With a key of the service, for a signature that says what it is for:",
         "wvds key generate ML-DSA-65 --label signer\n"
         "wvds sign signer notes.txt --context invoice -o notes.sig\n"
         "wvds verify notes.sig notes.txt --key signer --context invoice"}},
       {{"valid", "true; a signature that is not valid is an error"}},
       {},
       nullptr,
       {"wvds(1)", "wvds-sign(1)", "wvds-key-public(1)"}},
      {"encaps",
       R"(Makes a shared secret and the ciphertext that carries it to the holder of an ML-KEM key (FIPS 203).
The secret is for its owner only, and replaces nothing without --force.)",
       {{"Agree on a secret:",
         "wvds key generate ML-KEM-768 --label kem --usage encapsulate,decaps-raw --public kem.pub\n"
         "wvds encaps --public kem.pub --secret ours -o ciphertext\n"
         "wvds decaps kem ciphertext -o theirs\n"
         "cmp ours theirs"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-decaps(1)"}},
      {"decaps",
       R"(Takes the shared secret out of an ML-KEM ciphertext (FIPS 203).
Only keys that were made with the usage decaps-raw hand it out.
A ciphertext of the right length never fails: for one that was made for another key the secret is another one.)",
       {{"Agree on a secret:",
         "wvds key generate ML-KEM-768 --label kem --usage encapsulate,decaps-raw\n"
         "wvds encaps --key kem --secret ours -o ciphertext\n"
         "wvds decaps kem ciphertext -o theirs\n"
         "cmp ours theirs"}},
       {},
       {},
       nullptr,
       {"wvds(1)", "wvds-encaps(1)"}},
      {"random",
       R"(Gives bytes of the service's approved random generator (SP 800-90A).
A file is for its owner only, and replaces nothing without --force.)",
       {{"A token for a URL:", "wvds random 16 --hex"}, {"A key file:", "wvds random 32 -o store.key"}},
       {},
       {},
       nullptr,
       {"wvds(1)"}},
  };
}

}  // namespace wvds::tool
