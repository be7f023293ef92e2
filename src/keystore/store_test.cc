#include "keystore/store.h"

#include <gtest/gtest.h>

#include <set>

#include "keystore/testing/store_bed.h"

// Making, finding, listing, changing and removing keys.
namespace wvds::keystore {
namespace {

using testing::bytes_of;
using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

constexpr std::array kAlgorithms{Algorithm::kAes256Gcm, Algorithm::kMlDsa44,   Algorithm::kMlDsa65,
                                 Algorithm::kMlDsa87,   Algorithm::kMlKem512,  Algorithm::kMlKem768,
                                 Algorithm::kMlKem1024, Algorithm::kEcdsaP256, Algorithm::kEcdsaP384};
constexpr std::array kLifetimes{Lifetime::kSession, Lifetime::kVolatile, Lifetime::kPersistent};

class KeyStoreTest : public ::testing::Test, public StoreBed {
 protected:
  void SetUp() override { open(); }
  std::vector<uint32_t> listed(std::string_view principal, uint32_t after = 0, size_t count = 100,
                               SessionId session = 1) {
    std::vector<uint32_t> ids;
    const auto keys = store->list(principal, session, after, count).value();
    for (const KeyAccess& access : keys) ids.push_back(access.key->id());
    return ids;
  }
};

TEST_F(KeyStoreTest, MakesKeysOfEachAlgorithmAndLifetime) {
  for (const Algorithm algorithm : kAlgorithms) {
    for (const Lifetime lifetime : kLifetimes) {
      const auto key = find(generate(spec_of(algorithm, lifetime)));
      ASSERT_NE(key, nullptr);
      EXPECT_EQ(key->spec().algorithm, algorithm);
      EXPECT_EQ(key->spec().lifetime, lifetime);
      EXPECT_EQ(key->spec().label, "a label");
      EXPECT_EQ(key->owner(), "alice");
      EXPECT_EQ(key->place(), Place::kMemory);
      const auto version = key->active().value();
      EXPECT_EQ(version->number(), 1u);
      EXPECT_EQ(version->public_key().size(), algorithm_info(algorithm)->public_key);
      EXPECT_EQ(version->aes_key().size(), algorithm == Algorithm::kAes256Gcm ? 32u : 0u);
    }
  }
}

TEST_F(KeyStoreTest, GivesEachAlgorithmItsOwnKindOfKeyOnly) {
  const auto aes = active(generate(spec_of(Algorithm::kAes256Gcm)));
  const auto dsa = active(generate(spec_of(Algorithm::kMlDsa65)));
  const auto kem = active(generate(spec_of(Algorithm::kMlKem768)));
  const auto ecdsa = active(generate(spec_of(Algorithm::kEcdsaP384)));
  EXPECT_EQ(status_of(aes->mldsa_private()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(dsa->ecdsa_private()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(aes->ecdsa_public()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(ecdsa->mldsa_private()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(ecdsa->mlkem_public()), Status::kWrongKeyType);
  EXPECT_EQ(bytes_of(ecdsa->ecdsa_private().value()->public_key()), bytes_of(ecdsa->public_key()));
  EXPECT_EQ(status_of(aes->mlkem_public()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(dsa->mlkem_private()), Status::kWrongKeyType);
  EXPECT_EQ(status_of(kem->mldsa_public()), Status::kWrongKeyType);
  EXPECT_EQ(bytes_of(dsa->mldsa_private().value()->public_key()), bytes_of(dsa->public_key()));
  EXPECT_EQ(bytes_of(kem->mlkem_public().value()->encapsulation_key()), bytes_of(kem->public_key()));
}

TEST_F(KeyStoreTest, KeepsPersistentKeysOverARestartAndOnlyThem) {
  struct Kept {
    uint32_t id;
    std::vector<std::byte> public_key, aes_key;
  };
  std::vector<Kept> kept;
  std::vector<uint32_t> lost;
  for (const Algorithm algorithm : kAlgorithms) {
    const uint32_t id = generate(spec_of(algorithm));
    kept.push_back({id, bytes_of(active(id)->public_key()), bytes_of(active(id)->aes_key())});
    lost.push_back(generate(spec_of(algorithm, Lifetime::kVolatile)));
    lost.push_back(generate(spec_of(algorithm, Lifetime::kSession)));
  }
  for (const bool crashed : {false, true}) {
    if (crashed) crash();
    open();
    for (const Kept& key : kept) {
      EXPECT_EQ(bytes_of(active(key.id)->public_key()), key.public_key);
      EXPECT_EQ(bytes_of(active(key.id)->aes_key()), key.aes_key);
      EXPECT_EQ(find(key.id)->spec().label, "a label");
    }
    for (const uint32_t id : lost) EXPECT_EQ(found(id), Status::kKeyNotFound);
  }
  const auto signer = active(kept[2].id)->mldsa_private();
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(bytes_of((*signer)->public_key()), kept[2].public_key) << "the seed makes the same key again";
}

TEST_F(KeyStoreTest, ReadsNoRecordBeforeItsKeyIsUsed) {
  for (int i = 0; i < 20; ++i) generate(spec_of(Algorithm::kAes256Gcm));
  close();
  medium.reads = 0;
  open();
  EXPECT_LE(medium.reads, 4u) << "two headers and two indexes";
  find(7);
  EXPECT_LE(medium.reads, 5u);
  find(7);
  EXPECT_LE(medium.reads, 5u) << "once";
}

TEST_F(KeyStoreTest, TellsNoStrangerThatAKeyIsThere) {
  const uint32_t stored = generate(spec_of(Algorithm::kAes256Gcm));
  const uint32_t in_memory = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile));
  const uint32_t of_session = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kSession), "alice", 1);
  for (const uint32_t id : {stored, in_memory, of_session, 0u, 77u, 0xffffffffu}) {
    const auto none = store->find("bob", 1, id);
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().status, Status::kKeyNotFound);
    EXPECT_EQ(none.error().detail, "") << "the three reasons can't be told apart";
    EXPECT_EQ(status_of(store->rotate("bob", 1, id)), Status::kKeyNotFound);
    EXPECT_EQ(status_of(store->retire("bob", 1, id)), Status::kKeyNotFound);
    EXPECT_EQ(status_of(store->remove("bob", 1, id, 0)), Status::kKeyNotFound);
    EXPECT_EQ(status_of(store->remove("bob", 1, id, 1)), Status::kKeyNotFound);
  }
  EXPECT_EQ(found(of_session, "alice", 2), Status::kKeyNotFound) << "another session of the same principal";
  EXPECT_EQ(found(of_session, "alice", 1), Status::kSuccess);
  EXPECT_EQ(found(in_memory, "alice", 2), Status::kSuccess);
}

TEST_F(KeyStoreTest, AStrangersQuestionReadsNothingFromTheDisk) {
  const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm));
  close();
  open();
  medium.reads = 0;
  EXPECT_EQ(found(id, "bob"), Status::kKeyNotFound);
  EXPECT_EQ(medium.reads, 0u);
}

TEST_F(KeyStoreTest, DeniesUnknownPrincipals) {
  EXPECT_EQ(status_of(store->generate("mallory", 1, spec_of(Algorithm::kAes256Gcm))), Status::kDenied);
  EXPECT_EQ(status_of(store->find("mallory", 1, 1)), Status::kDenied);
  EXPECT_EQ(status_of(store->list("mallory", 1, 0, 1)), Status::kDenied);
  EXPECT_EQ(status_of(store->remove("mallory", 1, 1, 0)), Status::kDenied);
}

TEST_F(KeyStoreTest, GrantsGiveTheirUsagesAndNoMore) {
  const uint32_t id = generate(spec_of(Algorithm::kMlDsa44));
  const uint32_t other = generate(spec_of(Algorithm::kMlDsa44));
  principal("bob").grants = {{id, static_cast<Usages>(Usage::kVerify)}, {other, static_cast<Usages>(Usage::kSignMu)}};
  open();
  const auto access = store->find("bob", 9, id);
  ASSERT_TRUE(access.has_value());
  EXPECT_FALSE(access->owned);
  EXPECT_EQ(access->usages, static_cast<Usages>(Usage::kVerify));
  EXPECT_EQ(store->find("bob", 9, other)->usages, 0) << "a grant adds nothing to what the key was made for";
  EXPECT_EQ(store->find("alice", 9, id)->usages, Usage::kSign | Usage::kVerify);
  EXPECT_EQ(status_of(store->rotate("bob", 9, id)), Status::kDenied);
  EXPECT_EQ(status_of(store->retire("bob", 9, id)), Status::kDenied);
  EXPECT_EQ(status_of(store->remove("bob", 9, id, 0)), Status::kDenied);
  EXPECT_EQ(status_of(store->remove("bob", 9, id, 1)), Status::kDenied);
  EXPECT_EQ(listed("bob"), (std::vector{id, other}));
}

TEST_F(KeyStoreTest, KeepsTheKeysOfAnOwnerWhoLeftTheConfiguration) {
  const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm));
  close();
  const Principal alice = principals.front();
  principals.erase(principals.begin());
  principal("bob").grants = {{id, static_cast<Usages>(Usage::kEncrypt)}};
  open();
  EXPECT_EQ(found(id, "alice"), Status::kDenied);
  EXPECT_EQ(find(id, "bob")->owner(), "alice");
  principals.push_back(alice);
  open();
  EXPECT_EQ(found(id, "alice"), Status::kSuccess);
}

TEST_F(KeyStoreTest, ListsInOrderAndInPages) {
  std::vector<uint32_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(generate(spec_of(Algorithm::kAes256Gcm)));
  ids.push_back(generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kSession), "alice", 1));
  generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kSession), "alice", 2);
  generate(spec_of(Algorithm::kAes256Gcm), "bob");
  EXPECT_EQ(listed("alice"), ids);
  EXPECT_EQ(listed("alice", 0, 2), (std::vector{ids[0], ids[1]}));
  EXPECT_EQ(listed("alice", ids[1], 2), (std::vector{ids[2], ids[3]}));
  EXPECT_EQ(listed("alice", ids[4]), (std::vector{ids[5]}));
  EXPECT_TRUE(listed("alice", ids[5]).empty());
  EXPECT_TRUE(listed("alice", 0xffffffff).empty());
}

TEST_F(KeyStoreTest, ImportsSecretsAndMakesTheirPublicKeys) {
  const std::vector<std::byte> seed(32, std::byte{7}), kem_seed(64, std::byte{9});
  const auto aes = store->import_secret("alice", 1, spec_of(Algorithm::kAes256Gcm), seed);
  ASSERT_TRUE(aes.has_value());
  EXPECT_EQ(bytes_of((*aes)->active().value()->aes_key()), seed);
  const auto one = store->import_secret("alice", 1, spec_of(Algorithm::kMlDsa65), seed);
  const auto two = store->import_secret("alice", 1, spec_of(Algorithm::kMlDsa65, Lifetime::kVolatile), seed);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(bytes_of((*one)->active().value()->public_key()), bytes_of((*two)->active().value()->public_key()));
  ASSERT_TRUE(store->import_secret("alice", 1, spec_of(Algorithm::kMlKem768), kem_seed));
  const auto ecdsa = store->import_secret("alice", 1, spec_of(Algorithm::kEcdsaP256), seed);
  ASSERT_TRUE(ecdsa.has_value());
  EXPECT_EQ((*ecdsa)->active().value()->public_key().size(), 65u);
}

TEST_F(KeyStoreTest, KeepsEcdsaKeysAndOneOfAPublicKeyOverARestart) {
  const uint32_t id = generate(spec_of(Algorithm::kEcdsaP256));
  const auto public_key = bytes_of(active(id)->public_key());
  KeySpec spec = spec_of(Algorithm::kEcdsaP256);
  EXPECT_EQ(status_of(store->import_public("alice", 1, spec, public_key)), Status::kInvalidPayload) << "it can't sign";
  spec.usages = static_cast<Usages>(Usage::kVerify);
  const uint32_t verifies = store->import_public("alice", 1, spec, public_key).value()->id();
  open();
  const std::vector<std::byte> message(10);
  std::vector<std::byte> signature(algorithm_info(Algorithm::kEcdsaP256)->signature);
  const crypto::EcdsaOptions options{.hash = Hash::kSha256};
  const auto signer = active(id)->ecdsa_private();
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(bytes_of((*signer)->public_key()), public_key);
  const auto length = (*signer)->sign(options, UntrustedBytes(Bytes(message)), signature);
  ASSERT_TRUE(length.has_value());
  const auto verifier = active(verifies)->ecdsa_public();
  ASSERT_TRUE(verifier.has_value());
  EXPECT_TRUE((*verifier)->verify(options, UntrustedBytes(Bytes(message)), Bytes(signature).first(*length)));
  EXPECT_EQ(status_of(active(verifies)->ecdsa_private()), Status::kWrongKeyUsage);
  auto beside = public_key;
  beside.back() ^= std::byte{1};
  EXPECT_EQ(status_of(store->import_public("alice", 1, spec, beside)), Status::kInvalidPayload);
}

TEST_F(KeyStoreTest, RefusesEcdsaScalarsOutOfRange) {
  for (const std::byte filling : {std::byte{0}, std::byte{0xff}}) {
    const std::vector<std::byte> secret(32, filling);
    EXPECT_EQ(status_of(store->import_secret("alice", 1, spec_of(Algorithm::kEcdsaP256), secret)),
              Status::kInvalidPayload);
  }
}

TEST_F(KeyStoreTest, RefusesSecretsOfTheWrongLength) {
  for (const Algorithm algorithm : kAlgorithms) {
    for (const size_t size : {size_t{0}, size_t{31}, size_t{33}, size_t{63}, size_t{65}}) {
      const std::vector<std::byte> secret(size);
      EXPECT_EQ(status_of(store->import_secret("alice", 1, spec_of(algorithm), secret)), Status::kInvalidPayload);
    }
  }
}

TEST_F(KeyStoreTest, ImportsPublicKeysForWhatTheyCanDo) {
  const auto signer = active(generate(spec_of(Algorithm::kMlDsa65)));
  KeySpec spec = spec_of(Algorithm::kMlDsa65);
  EXPECT_EQ(status_of(store->import_public("alice", 1, spec, signer->public_key())), Status::kInvalidPayload)
      << "it can't sign";
  spec.usages = static_cast<Usages>(Usage::kVerify);
  const auto key = store->import_public("alice", 1, spec, signer->public_key());
  ASSERT_TRUE(key.has_value());
  const uint32_t id = (*key)->id();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(bytes_of(active(id)->public_key()), bytes_of(signer->public_key()));
    EXPECT_TRUE(active(id)->mldsa_public());
    EXPECT_EQ(status_of(active(id)->mldsa_private()), Status::kWrongKeyUsage);
    EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kWrongKeyUsage);
    open();
  }
  EXPECT_EQ(status_of(store->import_public("alice", 1, spec, Bytes(signer->public_key()).first(100))),
            Status::kInvalidPayload);
  KeySpec aes = spec_of(Algorithm::kAes256Gcm);
  EXPECT_EQ(status_of(store->import_public("alice", 1, aes, std::vector<std::byte>(32))), Status::kInvalidPayload);
}

TEST_F(KeyStoreTest, RefusesWhatNoKeyCanBe) {
  const auto status = [&](auto change) {
    KeySpec spec = spec_of(Algorithm::kMlKem768);
    change(spec);
    return status_of(store->generate("alice", 1, spec));
  };
  EXPECT_EQ(status([](KeySpec& spec) { spec.usages = 0; }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.usages = Usage::kDecapsRaw | Usage::kDecapsToKey; }),
            Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.usages = static_cast<Usages>(Usage::kSign); }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.algorithm = static_cast<Algorithm>(0x99); }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.lifetime = Lifetime::kDefault; }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.lifetime = static_cast<Lifetime>(9); }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.label = std::string(65, 'x'); }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.label = "line\nbreak"; }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.label = "\xff\xfe"; }), Status::kInvalidPayload);
  EXPECT_EQ(status([](KeySpec& spec) { spec.label = "gr\xc3\xbc\xc3\x9f"; }), Status::kSuccess);
}

TEST_F(KeyStoreTest, RotationGivesANewActiveVersionAndKeepsTheOldForDecryption) {
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm, lifetime));
    const auto key = find(id);
    const auto first = key->active().value();
    const uint32_t before = key->change_count();
    const auto second = store->rotate("alice", 1, id);
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ((*second)->number(), 2u);
    EXPECT_NE(key->change_count(), before) << "workers see that there is something new";
    EXPECT_EQ(key->active().value(), *second);
    EXPECT_EQ(first->state(), VersionState::kRetired);
    EXPECT_FALSE(first->deleted());
    EXPECT_NE(bytes_of(first->aes_key()), bytes_of((*second)->aes_key()));
    EXPECT_EQ(key->versions(), (std::vector{*second, first}));
    EXPECT_EQ((*second)->window()->used(), 0u);
    EXPECT_NE((*second)->window(), first->window()) << "a window of its own";
  }
}

TEST_F(KeyStoreTest, RotatedVersionsSurviveARestart) {
  for (const Algorithm algorithm :
       {Algorithm::kAes256Gcm, Algorithm::kMlDsa44, Algorithm::kMlKem512, Algorithm::kEcdsaP384}) {
    const uint32_t id = generate(spec_of(algorithm));
    ASSERT_TRUE(store->rotate("alice", 1, id));
    ASSERT_TRUE(store->rotate("alice", 1, id));
    std::vector<std::vector<std::byte>> before;
    for (const auto& version : find(id)->versions())
      before.push_back(bytes_of(algorithm == Algorithm::kAes256Gcm ? version->aes_key() : version->public_key()));
    open();
    const auto versions = find(id)->versions();
    ASSERT_EQ(versions.size(), 3u);
    for (size_t i = 0; i < versions.size(); ++i) {
      EXPECT_EQ(versions[i]->number(), 3 - i);
      EXPECT_EQ(versions[i]->state(), i == 0 ? VersionState::kActive : VersionState::kRetired);
      EXPECT_EQ(bytes_of(algorithm == Algorithm::kAes256Gcm ? versions[i]->aes_key() : versions[i]->public_key()),
                before[i]);
    }
  }
}

TEST_F(KeyStoreTest, NeverDropsAVersionToMakeRoomForARotation) {
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm, lifetime));
    for (size_t i = 0; i < kRetainedVersions; ++i) ASSERT_TRUE(store->rotate("alice", 1, id));
    EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kLimitReached);
    EXPECT_EQ(find(id)->versions().size(), 1 + kRetainedVersions);
    ASSERT_TRUE(store->remove("alice", 1, id, 1));
    EXPECT_TRUE(store->rotate("alice", 1, id));
  }
}

TEST_F(KeyStoreTest, ARetiredKeyDecryptsAndDoesNothingElse) {
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm, lifetime));
    const auto version = active(id);
    ASSERT_TRUE(version->count_use());
    ASSERT_TRUE(store->retire("alice", 1, id));
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(status_of(find(id)->active()), Status::kWrongKeyUsage);
      EXPECT_EQ(find(id)->versions().size(), 1u);
      EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kWrongKeyUsage);
      EXPECT_TRUE(store->retire("alice", 1, id)) << "again is fine";
      if (lifetime == Lifetime::kPersistent) open();
    }
    EXPECT_EQ(status_of(version->count_use()), Status::kWrongKeyUsage) << "also for a worker that kept it";
  }
}

TEST_F(KeyStoreTest, DeletionIsFinal) {
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm, lifetime));
    const auto key = find(id);
    const auto version = key->active().value();
    ASSERT_TRUE(store->remove("alice", 1, id, 0));
    EXPECT_TRUE(key->deleted());
    EXPECT_TRUE(version->deleted());
    EXPECT_EQ(status_of(key->active()), Status::kKeyNotFound);
    EXPECT_TRUE(key->versions().empty());
    EXPECT_EQ(status_of(version->count_use()), Status::kKeyNotFound);
    EXPECT_EQ(found(id), Status::kKeyNotFound);
    EXPECT_EQ(status_of(store->remove("alice", 1, id, 0)), Status::kKeyNotFound);
    crash();
    open();
    EXPECT_EQ(found(id), Status::kKeyNotFound);
  }
}

TEST_F(KeyStoreTest, DeletesAKeyThatWasNeverRead) {
  const uint32_t id = generate(spec_of(Algorithm::kMlDsa65));
  open();
  ASSERT_TRUE(store->remove("alice", 1, id, 0));
  EXPECT_EQ(found(id), Status::kKeyNotFound);
}

TEST_F(KeyStoreTest, DeletesSingleVersionsButNotTheActiveOneAlone) {
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm, lifetime));
    ASSERT_TRUE(store->rotate("alice", 1, id));
    ASSERT_TRUE(store->rotate("alice", 1, id));
    const auto versions = find(id)->versions();
    EXPECT_EQ(status_of(store->remove("alice", 1, id, 9)), Status::kKeyNotFound);
    EXPECT_EQ(status_of(store->remove("alice", 1, id, 3)), Status::kWrongKeyUsage);
    const uint32_t before = find(id)->change_count();
    ASSERT_TRUE(store->remove("alice", 1, id, 2));
    EXPECT_NE(find(id)->change_count(), before);
    EXPECT_TRUE(versions[1]->deleted());
    EXPECT_FALSE(versions[0]->deleted() || versions[2]->deleted());
    if (lifetime == Lifetime::kPersistent) open();
    ASSERT_EQ(find(id)->versions().size(), 2u);
    EXPECT_EQ(find(id)->versions()[1]->number(), 1u);
    EXPECT_EQ(store->rotate("alice", 1, id).value()->number(), 4u) << "version numbers are not used again";
  }
}

TEST_F(KeyStoreTest, DeletingTheOnlyVersionDeletesTheKey) {
  const uint32_t id = generate(spec_of(Algorithm::kAes256Gcm));
  EXPECT_EQ(status_of(store->remove("alice", 1, id, 2)), Status::kKeyNotFound);
  EXPECT_EQ(found(id), Status::kSuccess);
  ASSERT_TRUE(store->remove("alice", 1, id, 1));
  EXPECT_EQ(found(id), Status::kKeyNotFound);
  EXPECT_FALSE(medium.blobs.contains(record_name(id)));
}

TEST_F(KeyStoreTest, TheEndOfASessionEndsItsKeysOnly) {
  const uint32_t mine = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kSession), "alice", 1);
  const uint32_t other = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kSession), "alice", 2);
  const uint32_t lasting = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile), "alice", 1);
  const auto version = active(mine);
  store->end_session(1);
  store->end_session(1);
  store->end_session(77);
  EXPECT_TRUE(version->deleted());
  EXPECT_EQ(found(mine), Status::kKeyNotFound);
  EXPECT_EQ(found(other, "alice", 2), Status::kSuccess);
  EXPECT_EQ(found(lasting), Status::kSuccess);
  EXPECT_EQ(store->counts().in_memory, 2u);
}

TEST_F(KeyStoreTest, CountsItsKeys) {
  EXPECT_EQ(store->counts().persistent, 0u);
  generate(spec_of(Algorithm::kAes256Gcm));
  const uint32_t second = generate(spec_of(Algorithm::kAes256Gcm));
  generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile));
  EXPECT_EQ(store->counts().persistent, 2u);
  EXPECT_EQ(store->counts().in_memory, 1u);
  ASSERT_TRUE(store->remove("alice", 1, second, 0));
  open();
  EXPECT_EQ(store->counts().persistent, 1u);
  EXPECT_EQ(store->counts().in_memory, 0u);
}

TEST_F(KeyStoreTest, MakesWindowsOnlyForKeysThatDecryptAndWantOne) {
  KeySpec spec = spec_of(Algorithm::kAes256Gcm);
  EXPECT_NE(active(generate(spec))->window(), nullptr);
  spec.usages = static_cast<Usages>(Usage::kEncrypt);
  EXPECT_EQ(active(generate(spec))->window(), nullptr);
  spec = spec_of(Algorithm::kAes256Gcm);
  spec.replay_window = false;
  const uint32_t off = generate(spec);
  EXPECT_EQ(active(off)->window(), nullptr);
  EXPECT_EQ(active(generate(spec_of(Algorithm::kMlKem512)))->window(), nullptr);
  open();
  EXPECT_EQ(active(off)->window(), nullptr) << "remembered";
  EXPECT_FALSE(find(off)->spec().replay_window);
}

TEST_F(KeyStoreTest, KeepsABoundedNumberOfExpandedKeys) {
  config.expanded_keys = 2;
  open();
  std::vector<VersionRef> versions;
  for (int i = 0; i < 4; ++i) versions.push_back(active(generate(spec_of(Algorithm::kMlKem512, Lifetime::kVolatile))));
  const auto in_use = versions[3]->mlkem_private().value();
  EXPECT_EQ(versions[3]->mlkem_private().value(), in_use) << "kept";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(versions[static_cast<size_t>(i)]->mlkem_private());
  EXPECT_NE(versions[3]->mlkem_private().value(), in_use) << "made again from the seed";
  EXPECT_EQ(bytes_of(versions[3]->mlkem_private().value()->encapsulation_key()), bytes_of(in_use->encapsulation_key()));
}

TEST_F(KeyStoreTest, VersionsOutliveTheStore) {
  const auto aes = active(generate(spec_of(Algorithm::kAes256Gcm)));
  const auto dsa = active(generate(spec_of(Algorithm::kMlDsa44)));
  close();
  EXPECT_EQ(aes->aes_key().size(), 32u);
  EXPECT_EQ(status_of(aes->count_use()), Status::kNotReady) << "its uses were counted for good";
  EXPECT_TRUE(dsa->mldsa_private());
}

TEST(KeyStoreOpen, RefusesImproperPrincipals) {
  StoreBed bed;
  bed.principals.push_back(bed.principals.front());
  EXPECT_EQ(status_of(bed.try_open()), Status::kInvalidArgument);
  for (const char* name : {"", "a b", "a/b", "\xc3\xa4", "123456789012345678901234567890123"}) {
    bed.principals = {Principal{.name = name, .limits = {}, .grants = {}}};
    EXPECT_EQ(status_of(bed.try_open()), Status::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace wvds::keystore
