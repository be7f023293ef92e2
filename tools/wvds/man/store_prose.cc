#include "tools/wvds/man/prose.h"

// The pages of wvds store. Their examples run while the service is stopped.
namespace wvds::tool {
namespace {

const Place kConfig{"/etc/wvds/config.json", "names the store and what protects it"};

}  // namespace

std::vector<Prose> store_command_prose() {
  return {
      {"store",
       R"(These commands work on the key store itself, where config.json says that it is.
They need no service: they lock the store's folder as the service does, and are refused while one runs.

Run them as the user that the service runs as: what another user writes, the service can't read.
None of them shows a key or changes one, and none changes config.json.)",
       {{"Is every key well?", "wvds store verify --config /etc/wvds/config.json"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-verify(1)", "wvds-store-backup(1)", "wvds-store-migrate(1)", "wvds-doctor(1)"}},
      {"store verify",
       R"(Reads every file of the store, and changes none.
Checked are both headers and both indexes, and of each key record whether it is whole, authentic, in its place, no older than the index says,
of no deleted key, and whether each secret belongs to its public key.

Each file that is not as it should be has a line with its name and the cause.
A damaged key can't be used; the service goes on with all others.
What has two copies, one of which is damaged, is repaired when the service starts.)",
       {{"Check, and show only what is bad:",
         "wvds store verify --config /etc/wvds/config.json --json | jq -r '.faults[] | .name + \": \" + .what'"}},
       {{"store", "the store's folder"},
        {"id", "the store's number, 32 hexadecimal digits"},
        {"protector", "file, tpm or hsm"},
        {"records", "key records that are there"},
        {"good_versions", "key versions in good records"},
        {"inside_token", "of these, those whose secret is in a token"},
        {"faults[].name", "file in the store's folder"},
        {"faults[].what", "what is wrong with it"},
        {"all_is_well", "whether there are no faults"}},
       {kConfig},
       "0 all is well; 1 something is not, or the store could not be opened; 2 wrong usage.",
       {"wvds(1)", "wvds-store-backup(1)", "wvds-doctor(1)"}},
      {"store migrate",
       R"(Wraps the store's key anew, for the protector that --to names, and writes the store's two headers.
No key record is touched.
The sections of both protectors must be in config.json; --new-key-file and --new-passphrase-file name a file that is not there yet.

With the kind that the store already has, it gets a new key-encryption key.
So a store with a passphrase, made outside FIPS, gets the derivation that FIPS approves.

Interrupted at any instant, the store opens by one of the two protectors; run it again to finish.
Afterwards set "protector" in config.json to the new kind.)",
       {{"To another key file:",
         "wvds store migrate --to file --new-key-file \"$PWD/other.key\" --config /etc/wvds/config.json"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-passphrase(1)", "wvds-store-verify(1)"}},
      {"store passphrase",
       R"(Gives the store a new passphrase, and puts that into the file that config.json names as passphrase_file.
Interrupted at any instant, the store opens with what is in that file.

A passphrase that the service manager hands over is in a file of the manager's: use wvds store migrate with --new-passphrase-file, then make that file the credential.)",
       {{"From a key file to a passphrase, and to another passphrase:",
         "umask 077\n"
         "echo 'correct horse battery' > passphrase\n"
         "wvds store migrate --to file --new-passphrase-file \"$PWD/passphrase\" --config /etc/wvds/config.json\n"
         "jq '.store.file = {passphrase_file: (env.PWD + \"/passphrase\")}' config.json > new.json\n"
         "echo 'another battery horse' > new\n"
         "wvds store passphrase --new-file new --config new.json\n"
         "shred -u new"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-migrate(1)"}},
      {"store pin",
       R"(Changes the user PIN of the token that protects the store, and puts the new one into the file that config.json names as pin_file.
The new PIN is kept beside that file until both are changed; where it was interrupted, the command without --new-pin-file finishes it.

A PIN that is typed in, or that the service manager hands over, is changed by the tools of the token's vendor.)",
       {{"Where a token protects the store:",
         "umask 077\n"
         "if jq -e .store.hsm.pin_file config.json; then\n"
         "  read -rsp 'New PIN: ' pin && echo \"$pin\" > new.pin\n"
         "  wvds store pin --new-pin-file new.pin --config /etc/wvds/config.json\n"
         "  shred -u new.pin\n"
         "fi"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-migrate(1)", "wvds-doctor(1)"}},
      {"store backup",
       R"(Writes all key records and the store's key into one file, which a passphrase of its own protects.
The file is authenticated as a whole: nobody can change, exchange or leave out a part unseen.
Damaged records are backed up as they are, and named.

Keys inside a token are not in the file, only their records.)",
       {{"With a passphrase that nobody has to remember:",
         "umask 077\n"
         "head -c 24 /dev/urandom | base64 > archive.passphrase\n"
         "wvds store backup --out keys.archive --passphrase-file archive.passphrase --config /etc/wvds/config.json"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-restore(1)", "wvds-store-verify(1)"}},
      {"store restore",
       R"(Makes a store of a backup, in the folder that config.json names, which must hold no store, and for the protector that config.json names.
When it fails, the folder is as empty as before; when it was interrupted, the service does not start on what is there, and running it again begins anew.

Nobody knows what happened after the backup was made.
So the numbers of new keys begin 65,536 higher, and keys whose uses are counted only decrypt until they are rotated, by wvds key rotate or by the service itself where keys.rotate_at_percent is set.
Keys that were deleted since come back: delete them again.)",
       {{"On another machine:",
         "umask 077\n"
         "head -c 24 /dev/urandom | base64 > archive.passphrase\n"
         "wvds store backup --out keys.archive --passphrase-file archive.passphrase --config /etc/wvds/config.json\n"
         "jq '.store.path = (env.PWD + \"/restored\")' config.json > other.json\n"
         "wvds store restore --from keys.archive --passphrase-file archive.passphrase --config other.json"}},
       {},
       {kConfig},
       nullptr,
       {"wvds(1)", "wvds-store-backup(1)", "wvds-key-rotate(1)"}},
  };
}

}  // namespace wvds::tool
