#include "keystore/tpm/tpm_protector.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "keystore/protector_conformance.h"
#include "keystore/tpm/testing/swtpm.h"
#include "keystore/tpm/testing/tpm_bed.h"
#include "keystore/tpm/tpm_error.h"
#include "keystore/tpm/tpm_key.h"

namespace wvds::keystore {
namespace {

using testing::contains;
using testing::library;
using testing::ProtectorBacking;
using testing::ProtectorConformance;
using testing::ProtectorKind;
using testing::Swtpm;
using testing::swtpm_missing;
using testing::TpmBed;
using testing::TpmWiretap;

// A TPM and an authorisation value of its own for each backing.
struct OwnTpm : ProtectorBacking {
  explicit OwnTpm(std::function<void(TpmSettings&)> settle) : settle(std::move(settle)) {}
  std::unique_ptr<Protector> protector() override { return bed.protector(settle); }

  std::function<void(TpmSettings&)> settle;
  TpmBed bed;
};

// One TPM for all; only the authorisation values differ.
struct SharedTpm : ProtectorBacking {
  explicit SharedTpm(std::shared_ptr<TpmBed> bed) : bed(std::move(bed)), name("auth-" + std::to_string(made++)) {}
  std::unique_ptr<Protector> protector() override {
    return bed->protector([this](TpmSettings& settings) { settings.auth = bed->file(name); });
  }

  static inline int made = 0;
  std::shared_ptr<TpmBed> bed;
  std::string name;
};

ProtectorKind kind(const std::string& name, std::function<void(TpmSettings&)> settle, size_t flip_every = 1) {
  return {.name = name,
          .place = Place::kTpm,
          .make_backing = [settle] { return std::make_unique<OwnTpm>(settle); },
          .flip_every = flip_every,
          .missing = swtpm_missing()};
}

ProtectorKind kind_sharing_a_tpm() {
  return {.name = "OtherAuthorisationValue",
          .place = Place::kTpm,
          .make_backing =
              [] {
                static std::weak_ptr<TpmBed> last;
                auto bed = last.lock();
                if (bed == nullptr) last = bed = std::make_shared<TpmBed>();
                return std::make_unique<SharedTpm>(bed);
              },
          .flip_every = 7,
          .missing = swtpm_missing()};
}

INSTANTIATE_TEST_SUITE_P(
    Tpm, ProtectorConformance,
    ::testing::Values(kind("AuthorisationValue", [](TpmSettings&) {}),
                      kind("WithPcrs", [](TpmSettings& settings) { settings.pcrs = {0, 7, 23}; }),
                      kind(
                          "WithCounter", [](TpmSettings& settings) { settings.rollback_nv_index = 0x01800100; }, 7),
                      kind(
                          "UnderAnRsaKey", [](TpmSettings& settings) { settings.primaries = {PrimaryKind::kRsa2048}; },
                          21),
                      kind_sharing_a_tpm()),
    testing::protector_kind_name);

class TpmStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = swtpm_missing(); !missing.empty()) GTEST_SKIP() << "not installed: " << missing;
    bed_ = std::make_unique<TpmBed>();
  }

  Swtpm& tpm() { return bed_->tpm; }

  // made makes a header and remembers its key.
  std::unique_ptr<Protector> made(const std::function<void(TpmSettings&)>& settle = {}) {
    auto protector = bed_->protector(settle);
    auto key = protector->create(library(), header_);
    EXPECT_TRUE(key.has_value()) << key.error().detail;
    if (key) key_ = testing::bytes_of(key->expose());
    return protector;
  }

  std::string refusal(Protector& protector) {
    const auto unlocked = protector.unlock(library(), header_);
    if (unlocked) return "not refused";
    EXPECT_EQ(unlocked.error().status, Status::kStorageError);
    return unlocked.error().detail;
  }

  std::string refusal_of_create(Protector& protector) {
    std::vector<std::byte> header;
    const auto created = protector.create(library(), header);
    return created ? "not refused" : created.error().detail;
  }

  void expect_opens(Protector& protector) {
    const auto unlocked = protector.unlock(library(), header_);
    ASSERT_TRUE(unlocked.has_value()) << unlocked.error().detail;
    EXPECT_EQ(testing::bytes_of(unlocked->expose()), key_);
  }

  std::unique_ptr<TpmBed> bed_;
  std::vector<std::byte> header_;
  std::vector<std::byte> key_;
};

TEST_F(TpmStore, NeedsNoRoomThatIsNotGivenBack) {
  for (const bool with_pcrs : {false, true}) {
    auto protector = made([&](TpmSettings& settings) {
      if (with_pcrs) settings.pcrs = {7};
      settings.rollback_nv_index = 0x01800100;
    });
    for (int i = 0; i < 10; ++i) expect_opens(*protector);
    EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-loaded-session"}), "");
    EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-transient"}), "");
  }
}

TEST_F(TpmStore, GivesItsRoomBackAfterEachKindOfRefusal) {
  auto protector = made([](TpmSettings& settings) { settings.pcrs = {7}; });
  const auto other_auth = bed_->protector([&](TpmSettings& settings) {
    bed_->write("other", std::string(32, 'o'));
    settings.auth = bed_->file("other");
  });
  auto changed = header_;
  changed.back() ^= std::byte{1};
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(contains(refusal(*other_auth), "authorisation value is wrong")) << i;
    EXPECT_FALSE(protector->unlock(library(), changed)) << i;
  }
  tpm().extend_pcr(7);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(contains(refusal(*protector), "0x99D")) << i;
  EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-loaded-session"}), "");
  EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-transient"}), "");
}

TEST_F(TpmStore, IsOpenedByAnAuthorisationValueThatEndsInZeros) {
  bed_->write("auth", std::string(30, 'a') + std::string(2, '\0'));
  expect_opens(*made());
  expect_opens(*made([](TpmSettings& settings) { settings.pcrs = {7}; }));
}

TEST_F(TpmStore, SaysThatTheTpmIsGoneAndOpensWhenItIsBack) {
  auto protector = made();
  tpm().power_off();
  for (const std::string& detail : {refusal(*protector), refusal_of_create(*protector)}) {
    EXPECT_TRUE(contains(detail, "does not answer") && contains(detail, "0xA000")) << detail;
    EXPECT_TRUE(contains(detail, "store.tpm.tcti")) << detail;
  }
  tpm().start();
  expect_opens(*protector);
}

TEST_F(TpmStore, NamesADeviceThatIsNotThere) {
  auto protector = made();
  const auto elsewhere = bed_->protector([](TpmSettings& settings) { settings.tcti = "device:/dev/no-such-tpm"; });
  const std::string detail = refusal(*elsewhere);
  EXPECT_TRUE(contains(detail, "/dev/no-such-tpm: there is no TPM here")) << detail;
  expect_opens(*protector);
}

// As another user, who may not use the device; root may everything.
TEST_F(TpmStore, NamesTheGroupThatMayUseTheDevice) {
  auto protector = made();
  bed_->write("device", "");
  ASSERT_EQ(::chmod(bed_->path("device").c_str(), 0), 0);
  const auto elsewhere =
      bed_->protector([&](TpmSettings& settings) { settings.tcti = "device:" + bed_->path("device"); });
  constexpr uid_t kNobody = 65534;
  const bool is_root = ::geteuid() == 0;
  ASSERT_EQ(is_root ? ::seteuid(kNobody) : 0, 0);
  const std::string detail = refusal(*elsewhere);
  ASSERT_EQ(is_root ? ::seteuid(0) : 0, 0);
  EXPECT_TRUE(contains(detail, "no permission") && contains(detail, "group tss")) << detail;
  expect_opens(*protector);
}

TEST_F(TpmStore, SaysThatTheAuthorisationValueIsWrongOrMissing) {
  auto protector = made();
  const std::string right = bed_->read("auth");
  bed_->write("auth", std::string(32, 'x'));
  std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "the authorisation value is wrong") && contains(detail, "0x9A2")) << detail;
  bed_->write("auth", std::string(31, 'x'));
  detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, bed_->path("auth")) && contains(detail, "exactly 32 bytes")) << detail;
  ::unlink(bed_->path("auth").c_str());
  detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, bed_->path("auth")) && contains(detail, "put it back")) << detail;
  EXPECT_FALSE(std::filesystem::exists(bed_->path("auth"))) << "unlock makes no new one";
  bed_->write("auth", right);
  expect_opens(*protector);
}

TEST_F(TpmStore, MakesAnAuthorisationValueOnlyWhereItIsItsOwn) {
  const auto handed_over =
      bed_->protector([](TpmSettings& settings) { settings.auth_when_missing = WhenMissing::kRefuse; });
  EXPECT_TRUE(contains(refusal_of_create(*handed_over), "handed over"));
  made();
  struct stat facts{};
  ASSERT_EQ(::stat(bed_->path("auth").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  EXPECT_EQ(facts.st_size, 32);
  expect_opens(*handed_over);
}

TEST_F(TpmStore, WhereGuessesAreLimitedSaysHowToEndTheLockout) {
  auto protector = made([](TpmSettings& settings) { settings.limits_guesses = true; });
  const std::string right = bed_->read("auth");
  bed_->write("auth", std::string(32, 'x'));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(contains(refusal(*protector), "0x98E")) << i;
  bed_->write("auth", right);
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "lockout") && contains(detail, "0x921")) << detail;
  EXPECT_TRUE(contains(detail, "tpm2_dictionarylockout --clear-lockout")) << detail;
  tpm().run({"tpm2_dictionarylockout", "--clear-lockout"});
  expect_opens(*protector);
}

TEST_F(TpmStore, IsNotLockedOutByWhatOthersGuess) {
  auto protector = made();
  const auto header = header_;
  const auto key = key_;
  auto guessed = made([](TpmSettings& settings) { settings.limits_guesses = true; });
  const std::string right = bed_->read("auth");
  bed_->write("auth", std::string(32, 'x'));
  for (int i = 0; i < 4; ++i) refusal(*guessed);
  ASSERT_TRUE(contains(refusal(*guessed), "0x921"));
  bed_->write("auth", right);
  header_ = header;
  key_ = key;
  expect_opens(*protector);
}

// A TPM that loses its power after a limited authorisation value was used counts that as a wrong guess.
TEST_F(TpmStore, IsNotLockedOutByPowerCuts) {
  auto protector = made();
  for (int i = 0; i < 6; ++i) {
    expect_opens(*protector);
    tpm().power_off();
    tpm().start();
  }
  EXPECT_EQ(tpm().property("TPM2_PT_LOCKOUT_COUNTER"), 0u);
  auto limited = made([](TpmSettings& settings) { settings.limits_guesses = true; });
  expect_opens(*limited);
  tpm().power_off();
  tpm().start();
  EXPECT_EQ(tpm().property("TPM2_PT_LOCKOUT_COUNTER"), 1u) << "otherwise this test shows nothing";
}

TEST_F(TpmStore, NamesThePcrsThatChangedAndTheWayOn) {
  auto protector = made([](TpmSettings& settings) { settings.pcrs = {7, 0, 4}; });
  tpm().extend_pcr(7);
  tpm().extend_pcr(5);
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "the policy names sha256 PCRs 0, 4 and 7; changed: sha256 PCR 7 (0x99D)")) << detail;
  EXPECT_TRUE(contains(detail, "wvds store restore") && contains(detail, "wvds store migrate --to file")) << detail;
  tpm().power_off();
  tpm().start();
  expect_opens(*protector);
  tpm().extend_pcr(5);
  expect_opens(*protector);
}

TEST_F(TpmStore, TellsAChangedHeaderFromChangedPcrs) {
  auto protector = made([](TpmSettings& settings) { settings.pcrs = {7}; });
  auto fields = TpmHeader::decode(header_).value();
  fields.policy.pcrs = 1 << 6;
  header_ = fields.encode();
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "header") && contains(detail, "was changed")) << detail;
}

TEST_F(TpmStore, BindsToPcrsOfEachBank) {
  for (const char* bank : {"sha1", "sha256", "sha384", "sha512"}) {
    auto protector = made([&](TpmSettings& settings) {
      settings.pcr_bank = tpm_hash_of(bank);
      for (uint32_t pcr = 0; pcr < kPcrCount; ++pcr) settings.pcrs.push_back(pcr);
    });
    expect_opens(*protector);
    tpm().extend_pcr(10, bank);
    EXPECT_TRUE(contains(refusal(*protector), std::string("changed: ") + bank + " PCR 10 ")) << bank;
  }
}

TEST_F(TpmStore, NamesTheBanksOfATpmThatHasNotTheOneAskedFor) {
  bed_ = std::make_unique<TpmBed>("sha1,sha256");
  const auto protector = bed_->protector([](TpmSettings& settings) {
    settings.pcrs = {7};
    settings.pcr_bank = TpmHash::kSha384;
  });
  const std::string detail = refusal_of_create(*protector);
  EXPECT_TRUE(contains(detail, "no PCRs in the bank sha384, only in sha1, sha256")) << detail;
  EXPECT_TRUE(contains(detail, "tpm2_pcrallocate sha384:all")) << detail;
}

TEST_F(TpmStore, IsRefusedByATpmThatWasCleared) {
  auto protector = made();
  tpm().run({"tpm2_clear"});
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "not the TPM") && contains(detail, "cleared")) << detail;
  expect_opens(*made());
}

TEST_F(TpmStore, SaysThatTheStorageHierarchyIsClosedAndOpensAfterwards) {
  auto protector = made();
  tpm().run({"tpm2_changeauth", "-c", "owner", "secret"});
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "must be empty (tpm2_changeauth -c owner -p OLD)")) << detail;
  tpm().run({"tpm2_changeauth", "-c", "owner", "-p", "secret"});
  expect_opens(*protector);
}

// As a program does that ends without flushing them.
void leave_three_sessions(const Swtpm& tpm) {
  const auto connection = TpmConnection::open(tpm.tcti()).value();
  const TPMT_SYM_DEF no_cipher{.algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}};
  for (int i = 0; i < 3; ++i) {
    ESYS_TR session = ESYS_TR_NONE;
    ASSERT_EQ(connection.tss().Esys_StartAuthSession(connection.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                     ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &no_cipher,
                                                     TPM2_ALG_SHA256, &session),
              TSS2_RC_SUCCESS);
  }
}

TEST_F(TpmStore, SaysThatOthersHoldAllSessions) {
  auto protector = made();
  leave_three_sessions(tpm());
  const std::string detail = refusal(*protector);
  EXPECT_TRUE(contains(detail, "no room for another session") && contains(detail, "/dev/tpmrm0")) << detail;
  tpm().run({"tpm2_flushcontext", "--loaded-session"});
  expect_opens(*protector);
}

bool is_in(const std::vector<std::byte>& all, Bytes part) { return !std::ranges::search(all, part).empty(); }

TEST_F(TpmStore, ShowsNobodyOnTheBusTheKeyOrTheAuthorisationValue) {
  for (const bool with_pcrs : {false, true}) {
    const TpmWiretap tap(tpm());
    auto protector = made([&](TpmSettings& settings) {
      settings.tcti = tap.tcti();
      settings.rollback_nv_index = 0x01800100;
      if (with_pcrs) settings.pcrs = {7};
    });
    expect_opens(*protector);
    ASSERT_NE(protector->rollback_counter(), nullptr);
    EXPECT_TRUE(protector->rollback_counter()->read());
    const auto heard = tap.heard();
    EXPECT_GT(heard.size(), 2000u) << "the tap hears nothing";
    EXPECT_FALSE(is_in(heard, key_));
    EXPECT_FALSE(is_in(heard, as_bytes(bed_->read("auth"))));
    EXPECT_TRUE(is_in(heard, Bytes(header_).last(64))) << "what is no secret is heard";
  }
}

// The same object, unsealed with a password session and no encryption as a careless program would: the tap hears both.
TEST_F(TpmStore, WouldBeHeardOnTheBusWithoutEncryption) {
  made();
  const TpmWiretap tap(tpm());
  const auto fields = TpmHeader::decode(header_).value();
  const auto connection = TpmConnection::open(tap.tcti()).value();
  const auto storage_key = make_storage_key(connection, fields.primary).value();
  const auto object = load_sealed(connection, storage_key, {fields.object_public, fields.object_private}).value();
  ASSERT_TRUE(connection.set_auth(object.get(), as_bytes(bed_->read("auth"))));
  TPM2B_SENSITIVE_DATA* raw = nullptr;
  ASSERT_EQ(
      connection.tss().Esys_Unseal(connection.esys(), object.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &raw),
      TSS2_RC_SUCCESS);
  const auto data = connection.tss().own(raw);
  EXPECT_TRUE(is_in(tap.heard(), key_));
  EXPECT_TRUE(is_in(tap.heard(), as_bytes(bed_->read("auth"))));
}

// times_on_the_heap counts the places where `hidden` stands with all its bits turned round.
size_t times_on_the_heap(const std::vector<std::byte>& hidden) {
  std::ifstream maps("/proc/self/maps");
  size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    if (!contains(line, "[heap]")) continue;
    const size_t begin = std::stoul(line, nullptr, 16), end = std::stoul(line.substr(line.find('-') + 1), nullptr, 16);
    const Bytes heap(reinterpret_cast<const std::byte*>(begin), end - begin);
    for (size_t at = 0; at + hidden.size() <= heap.size(); ++at) {
      size_t same = 0;
      while (same < hidden.size() && heap[at + same] == ~hidden[same]) ++same;
      found += same == hidden.size();
    }
  }
  return found;
}

void turn_round(std::vector<std::byte>& bytes) {
  for (std::byte& byte : bytes) byte = ~byte;
}

TEST_F(TpmStore, LeavesNoCopyOfTheKeyOnTheHeap) {
  auto protector = made();
  std::vector<std::byte> plain = key_;
  turn_round(key_);
  if (times_on_the_heap(key_) == 0) GTEST_SKIP() << "an allocator of its own, as sanitizers have";
  turn_round(plain);
  EXPECT_EQ(times_on_the_heap(key_), 0u) << "after it was made";
  ASSERT_TRUE(protector->unlock(library(), header_));
  EXPECT_EQ(times_on_the_heap(key_), 0u) << "after it was unsealed";
}

TEST(TpmErrors, NameCauseAndCureOfEachCode) {
  const TssLibrary no_texts;
  const auto text = [&](TSS2_RC code) { return tpm_failed(no_texts, code, "do it").error().detail; };
  EXPECT_TRUE(contains(text(0xA000A), "does not answer"));
  EXPECT_TRUE(contains(text(0x98E), "authorisation value is wrong"));
  EXPECT_TRUE(contains(text(0x921), "tpm2_dictionarylockout"));
  EXPECT_TRUE(contains(text(0x903), "room for another session"));
  EXPECT_TRUE(contains(text(0xB0903), "room for another session")) << "passed on by a resource manager";
  EXPECT_TRUE(contains(text(0x1DF), "not made with this TPM"));
  EXPECT_TRUE(contains(text(TSS2_ESYS_RC_RSP_AUTH_FAILED), "not authentic"));
  EXPECT_TRUE(contains(text(0x12345), "unexpected answer (0x12345)"));
}

TEST(TssLibrary, NamesTheLibraryThatIsNotInstalledAndItsPackage) {
  TssLibrary::Files files;
  files.marshal = "libtss2-not-installed.so.0";
  const auto loaded = TssLibrary::load_from(files);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().status, Status::kUnsupported);
  EXPECT_TRUE(contains(loaded.error().detail, "libtss2-")) << loaded.error().detail;
  EXPECT_TRUE(contains(loaded.error().detail, "package libtss2-")) << loaded.error().detail;
}

}  // namespace
}  // namespace wvds::keystore
