#include "keystore/file/file_protector.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "base/log.h"
#include "keystore/memory/memory_protector.h"
#include "keystore/protector_conformance.h"
#include "platform/durable.h"
#include "platform/testing/fake_disk.h"

namespace wvds::keystore {
namespace {

using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;
using testing::library;
using testing::ProtectorBacking;
using testing::ProtectorConformance;
using testing::ProtectorKind;

// A folder with one file in it, on a fake disk.
struct SecretFolder {
  SecretFolder() {
    FakeDisk disk("secrets", volume, faults);
    EXPECT_TRUE(platform::open_folder(disk));
  }
  void put(std::string_view content) {
    FakeDisk disk("secrets", volume, faults);
    EXPECT_TRUE(platform::durable_replace(disk, "secret", as_bytes(content)));
  }
  void remove() {
    FakeDisk disk("secrets", volume, faults);
    EXPECT_TRUE(platform::durable_remove(disk, "secret"));
  }
  FileName file() { return {std::make_unique<FakeDisk>("secrets", volume, faults), "secret"}; }

  FakeVolume volume;
  Faults faults;
};

class KeyFileBacking : public ProtectorBacking {
 public:
  std::unique_ptr<Protector> protector() override { return make_key_file_protector(folder_.file()); }

 private:
  SecretFolder folder_;
};

class PassphraseBacking : public ProtectorBacking {
 public:
  explicit PassphraseBacking(const std::string& passphrase) { folder_.put(passphrase); }
  std::unique_ptr<Protector> protector() override { return make_passphrase_protector(folder_.file()); }

 private:
  SecretFolder folder_;
};

// The memory protector lives as long as its process: restarts share one object.
class MemoryBacking : public ProtectorBacking {
 public:
  std::unique_ptr<Protector> protector() override { return std::make_unique<Shared>(kept_); }

 private:
  class Shared : public Protector {
   public:
    explicit Shared(std::shared_ptr<Protector> kept) : kept_(std::move(kept)) {}
    Place place() const override { return kept_->place(); }
    Result<crypto::LockedBytes> create(const crypto::Library& lib, std::vector<std::byte>& header) override {
      return kept_->create(lib, header);
    }
    Result<crypto::LockedBytes> unlock(const crypto::Library& lib, Bytes header) override {
      return kept_->unlock(lib, header);
    }

   private:
    std::shared_ptr<Protector> kept_;
  };
  std::shared_ptr<Protector> kept_ = make_memory_protector();
};

std::unique_ptr<ProtectorBacking> passphrase_backing() {
  static int number = 0;
  return std::make_unique<PassphraseBacking>("correct horse battery " + std::to_string(++number));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ProtectorConformance,
    ::testing::Values(ProtectorKind{"Memory", Place::kMemory, [] { return std::make_unique<MemoryBacking>(); }, 1},
                      ProtectorKind{"KeyFile", Place::kFile, [] { return std::make_unique<KeyFileBacking>(); }, 1},
                      ProtectorKind{"Passphrase", Place::kFile, passphrase_backing, 23}),
    testing::protector_kind_name);

std::string refusal(Protector& protector, Bytes header) {
  const auto key = protector.unlock(library(), header);
  EXPECT_FALSE(key.has_value());
  return key ? "" : key.error().detail;
}

std::string refusal_of_create(Protector& protector) {
  std::vector<std::byte> header;
  const auto key = protector.create(library(), header);
  EXPECT_FALSE(key.has_value());
  return key ? "" : key.error().detail;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(KeyFile, IsMadeWith32RandomBytesWhereItIsMissingAndUsedWhereItIsThere) {
  SecretFolder folder;
  std::vector<std::byte> header;
  ASSERT_TRUE(make_key_file_protector(folder.file())->create(library(), header));
  FakeDisk disk("secrets", folder.volume, folder.faults);
  const auto made = disk.read("secret", 100).value();
  EXPECT_EQ(made.size(), 32u);
  ASSERT_TRUE(make_key_file_protector(folder.file())->create(library(), header));
  EXPECT_EQ(disk.read("secret", 100).value(), made) << "never overwritten";
}

TEST(KeyFile, IsDurableBeforeAStoreCanDependOnIt) {
  SecretFolder folder;
  std::vector<std::byte> header;
  ASSERT_TRUE(make_key_file_protector(folder.file())->create(library(), header));
  for (FakeVolume future : platform::testing::after_power_cut(folder.volume, 100, 1)) {
    Faults none;
    FakeDisk disk("secrets", future, none);
    EXPECT_EQ(disk.read("secret", 100).value_or(std::vector<std::byte>{}).size(), 32u);
  }
}

TEST(KeyFile, OfAnotherLengthIsRefused) {
  for (const size_t size : {0u, 31u, 33u, 64u}) {
    SecretFolder folder;
    folder.put(std::string(size, 'x'));
    EXPECT_TRUE(contains(refusal_of_create(*make_key_file_protector(folder.file())), "secrets")) << size;
  }
}

TEST(KeyFile, ThatOthersCanReadIsRefused) {
  SecretFolder folder;
  std::vector<std::byte> header;
  ASSERT_TRUE(make_key_file_protector(folder.file())->create(library(), header));
  folder.faults.others_can_read_secrets = true;
  EXPECT_TRUE(contains(refusal(*make_key_file_protector(folder.file()), header), "everybody can read"));
  EXPECT_TRUE(contains(refusal_of_create(*make_key_file_protector(folder.file())), "everybody can read"));
}

TEST(KeyFile, ThatIsMissingOrAnotherIsNamedWithTheCure) {
  SecretFolder folder;
  std::vector<std::byte> header;
  ASSERT_TRUE(make_key_file_protector(folder.file())->create(library(), header));
  folder.remove();
  std::string detail = refusal(*make_key_file_protector(folder.file()), header);
  EXPECT_TRUE(contains(detail, "secrets/secret") && contains(detail, "missing") && contains(detail, "put it back"))
      << detail;
  folder.put(std::string(32, 'y'));
  detail = refusal(*make_key_file_protector(folder.file()), header);
  EXPECT_TRUE(contains(detail, "secrets/secret") && contains(detail, "not the key file")) << detail;
}

TEST(KeyFile, ThatSomebodyElseHandsOverIsNeverMade) {
  SecretFolder folder;
  std::vector<std::byte> header;
  const auto handed_over = [&] { return make_key_file_protector(folder.file(), WhenMissing::kRefuse); };
  EXPECT_TRUE(contains(refusal_of_create(*handed_over()), "handed over"));
  FakeDisk disk("secrets", folder.volume, folder.faults);
  EXPECT_FALSE(disk.read("secret", 100).has_value());
  folder.put(std::string(31, 'k'));
  EXPECT_TRUE(contains(refusal_of_create(*handed_over()), "exactly 32 bytes"));
  folder.put(std::string(32, 'k'));
  folder.faults.read_only = true;
  ASSERT_TRUE(handed_over()->create(library(), header)) << "nothing is written in its folder";
  EXPECT_TRUE(handed_over()->unlock(library(), header));
}

TEST(Passphrase, HasAtLeastTwelveCharacters) {
  for (const char* too_short : {"", "\n", "elevenchars", "elevenchars\n", "elevenchars\r\n",
                                "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n"}) {
    SecretFolder folder;
    folder.put(too_short);
    EXPECT_TRUE(contains(refusal_of_create(*make_passphrase_protector(folder.file())), "at least 12")) << too_short;
  }
}

TEST(Passphrase, HasAtMost1024Bytes) {
  std::vector<std::byte> header;
  SecretFolder folder;
  folder.put(std::string(1024, 'p') + "\r\n");
  EXPECT_TRUE(make_passphrase_protector(folder.file())->create(library(), header));
  folder.put(std::string(1025, 'p'));
  EXPECT_TRUE(contains(refusal_of_create(*make_passphrase_protector(folder.file())), "at most 1,024"));
  folder.put(std::string(1027, 'p'));
  refusal_of_create(*make_passphrase_protector(folder.file()));
}

TEST(Passphrase, IsTheSameWithAndWithoutALineEnd) {
  SecretFolder folder;
  std::vector<std::byte> header;
  folder.put("correct horse battery");
  const auto key = make_passphrase_protector(folder.file())->create(library(), header);
  ASSERT_TRUE(key.has_value());
  for (const char* same : {"correct horse battery\n", "correct horse battery\r\n"}) {
    folder.put(same);
    EXPECT_TRUE(make_passphrase_protector(folder.file())->unlock(library(), header)) << same;
  }
  for (const char* other : {"correct horse batterz", "correct horse battery ", "correct horse battery\n\n"}) {
    folder.put(other);
    EXPECT_TRUE(contains(refusal(*make_passphrase_protector(folder.file()), header), "passphrase is wrong")) << other;
  }
}

TEST(Passphrase, ThatIsMissingIsNamed) {
  SecretFolder folder;
  EXPECT_TRUE(contains(refusal_of_create(*make_passphrase_protector(folder.file())), "missing"));
}

// The headers of stores that each mode makes. Both are opened by what is not restricted to FIPS.
std::vector<std::byte> passphrase_header(SecretFolder& folder, const crypto::Library& made_by) {
  std::vector<std::byte> header;
  EXPECT_TRUE(make_passphrase_protector(folder.file())->create(made_by, header));
  return header;
}

const crypto::Library& library_in(crypto::FipsMode mode) {
  static std::map<crypto::FipsMode, std::unique_ptr<crypto::Library>> loaded;
  crypto::LibraryConfig config;
  config.fips = mode;
  auto& library = loaded[mode];
  if (library == nullptr) library = crypto::Library::load(config).value();
  return *library;
}

// docs/storage-format.md: the derivation at offset 1 of the header, its parameters from offset 4.
struct Derivation {
  explicit Derivation(Bytes header) {
    Reader reader(header.subspan(1));
    kind = reader.u8();
    reader.u16();
    for (uint32_t& parameter : parameters) parameter = reader.u32();
  }
  uint8_t kind;
  std::array<uint32_t, 3> parameters{};
};

TEST(Passphrase, GoesThroughPbkdf2InFipsModeAndThroughArgon2idElsewhere) {
  SecretFolder folder;
  folder.put("correct horse battery");
  const Derivation fips(passphrase_header(folder, library_in(crypto::FipsMode::kRequired)));
  EXPECT_EQ(fips.kind, 2);
  EXPECT_EQ(fips.parameters, (std::array<uint32_t, 3>{600'000, 0, 0}));
  const Derivation preferred(passphrase_header(folder, library_in(crypto::FipsMode::kPreferred)));
  EXPECT_EQ(preferred.kind, 2) << "the FIPS provider is there";
  const Derivation other(passphrase_header(folder, library_in(crypto::FipsMode::kOff)));
  EXPECT_EQ(other.kind, 3);
  EXPECT_EQ(other.parameters, (std::array<uint32_t, 3>{3, 65'536, 4}));
}

TEST(Passphrase, ThroughPbkdf2OpensInEveryMode) {
  SecretFolder folder;
  folder.put("correct horse battery");
  const auto header = passphrase_header(folder, library_in(crypto::FipsMode::kRequired));
  for (const auto mode : {crypto::FipsMode::kRequired, crypto::FipsMode::kPreferred, crypto::FipsMode::kOff})
    EXPECT_TRUE(make_passphrase_protector(folder.file())->unlock(library_in(mode), header));
}

std::string logged;

TEST(Passphrase, ThroughArgon2idIsRefusedWhereFipsIsRequiredAndWarnedOfWhereItIsActive) {
  SecretFolder folder;
  folder.put("correct horse battery");
  const auto header = passphrase_header(folder, library_in(crypto::FipsMode::kOff));
  const auto refused =
      make_passphrase_protector(folder.file())->unlock(library_in(crypto::FipsMode::kRequired), header);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
  EXPECT_TRUE(contains(refused.error().detail, "Argon2id") && contains(refused.error().detail, "wvds store migrate"))
      << refused.error().detail;
  set_log_sink([](const LogRecord& record) { logged += record.line; });
  EXPECT_TRUE(make_passphrase_protector(folder.file())->unlock(library_in(crypto::FipsMode::kOff), header));
  EXPECT_EQ(logged, "");
  EXPECT_TRUE(make_passphrase_protector(folder.file())->unlock(library_in(crypto::FipsMode::kPreferred), header));
  set_log_sink(nullptr);
  EXPECT_TRUE(contains(logged, "outside FIPS")) << logged;
}

TEST(Passphrase, HeaderRecordsWhatArgon2idCostsAndReadingHoldsItInBounds) {
  SecretFolder folder;
  folder.put("correct horse battery");
  const auto header = passphrase_header(folder, library_in(crypto::FipsMode::kOff));
  using Cost = std::array<uint32_t, 3>;
  for (const Cost& cost : {Cost{2, 65'536, 4}, Cost{17, 65'536, 4}, Cost{3, 65'535, 4}, Cost{3, 1'048'577, 4},
                           Cost{3, 65'536, 0}, Cost{3, 65'536, 17}, Cost{0, 0, 0}, Cost{~0u, ~0u, ~0u}}) {
    auto changed = header;
    Writer writer(MutableBytes(changed).subspan(4));
    for (const uint32_t part : cost) writer.u32(part);
    EXPECT_TRUE(contains(refusal(*make_passphrase_protector(folder.file()), changed), "lanes"));
  }
}

TEST(Passphrase, HeaderRecordsTheIterationsAndReadingCapsThem) {
  SecretFolder folder;
  folder.put("correct horse battery");
  std::vector<std::byte> header = passphrase_header(folder, library_in(crypto::FipsMode::kRequired));
  for (const uint32_t iterations : {0u, 599'999u, 10'000'001u, 0xffffffffu}) {
    Writer(MutableBytes(header).subspan(4)).u32(iterations);
    EXPECT_TRUE(contains(refusal(*make_passphrase_protector(folder.file()), header), "iterations")) << iterations;
  }
}

TEST(FileProtectors, TellEachOthersStoresApart) {
  SecretFolder keys, passphrases;
  passphrases.put("correct horse battery");
  std::vector<std::byte> by_key, by_passphrase;
  ASSERT_TRUE(make_key_file_protector(keys.file())->create(library(), by_key));
  ASSERT_TRUE(make_passphrase_protector(passphrases.file())->create(library(), by_passphrase));
  EXPECT_TRUE(contains(refusal(*make_key_file_protector(keys.file()), by_passphrase), "made with a passphrase"));
  EXPECT_TRUE(contains(refusal(*make_passphrase_protector(passphrases.file()), by_key), "made with a key file"));
}

TEST(FileProtectors, NameAMissingFolder) {
  FakeVolume nothing;
  Faults none;
  auto protector = make_key_file_protector({std::make_unique<FakeDisk>("secrets", nothing, none), "secret"});
  EXPECT_TRUE(contains(refusal_of_create(*protector), "secrets"));
}

TEST(FileName, SplitsAtTheLastSlash) {
  const auto split = [](std::string_view path) {
    const FileName file = file_name(path);
    return file.folder->path() + "|" + file.name;
  };
  EXPECT_EQ(split("/etc/wvds/key"), "/etc/wvds|key");
  EXPECT_EQ(split("/key"), "/|key");
  EXPECT_EQ(split("key"), ".|key");
}

}  // namespace
}  // namespace wvds::keystore
