#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "crypto/kdf.h"
#include "keystore/archive.h"
#include "keystore/file/file_protector.h"
#include "keystore/testing/store_bed.h"
#include "platform/durable.h"
#include "platform/testing/fake_disk.h"

// Stores of each format version that was ever shipped, byte for byte, in tests/golden/. They are read by every later
// program, and never changed: a new format gets a folder of its own, made once by
//   keystore_golden_test --make-golden FOLDER
namespace wvds::keystore {
namespace {

namespace fs = std::filesystem;
using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;
using testing::bytes_of;
using testing::library;
using testing::MemoryMedium;
using testing::StoreBed;

constexpr std::string_view kPassphrase = "correct horse battery staple";

std::vector<std::byte> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return bytes_of(as_bytes(content));
}

void write_file(const fs::path& path, Bytes content) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

std::string hex(Bytes bytes) {
  std::ostringstream out;
  for (const std::byte byte : bytes)
    out << "0123456789abcdef"[std::to_integer<int>(byte) >> 4] << "0123456789abcdef"[std::to_integer<int>(byte) & 15];
  return out.str();
}

// Secret is a file with a secret, for a protector.
struct Secret {
  explicit Secret(Bytes content) {
    FakeDisk disk("golden", volume, faults);
    EXPECT_TRUE(platform::open_folder(disk));
    EXPECT_TRUE(platform::durable_replace(disk, "secret", content));
  }
  FileName file() { return {std::make_unique<FakeDisk>("golden", volume, faults), "secret"}; }

  FakeVolume volume;
  Faults faults;
};

std::vector<std::byte> counting(size_t size, int start) {
  std::vector<std::byte> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = std::byte(static_cast<int>(i) + start);
  return out;
}

KeySpec spec(Algorithm algorithm, Usages usages, std::string label, bool replay_window = true) {
  return {.algorithm = algorithm,
          .lifetime = Lifetime::kPersistent,
          .usages = usages,
          .replay_window = replay_window,
          .label = std::move(label)};
}

// The golden store's content: everything a record can say.
void fill_store(Store& store) {
  const auto made = [](auto result) { ASSERT_TRUE(result.has_value()) << result.error().detail; };
  made(store.import_secret("alice", 1, spec(Algorithm::kAes256Gcm, Usage::kEncrypt | Usage::kDecrypt, "data"),
                           counting(32, 0)));
  made(store.import_secret("alice", 1, spec(Algorithm::kMlDsa65, Usage::kSign | Usage::kVerify, "sign"),
                           counting(32, 1)));
  made(store.import_secret("bob", 1,
                           spec(Algorithm::kMlKem768, Usage::kEncapsulate | Usage::kDecapsToKey, "gr\xc3\xbc\xc3\x9f"),
                           counting(64, 2)));
  const auto peer = store.import_secret(
      "bob", 1, spec(Algorithm::kMlKem512, Usage::kEncapsulate | Usage::kDecapsRaw, ""), counting(64, 3));
  made(store.import_public("bob", 1, spec(Algorithm::kMlKem512, static_cast<Usages>(Usage::kEncapsulate), "peer"),
                           (*peer)->active().value()->public_key()));
  made(store.import_secret("alice", 1,
                           spec(Algorithm::kAes256Gcm, static_cast<Usages>(Usage::kDecrypt), "archive", false),
                           counting(32, 4)));
  made(store.rotate("alice", 1, 1));
  made(store.retire("alice", 1, 6));
  made(store.remove("bob", 1, 4, 0));
  const auto active = store.find("alice", 1, 1)->key->active().value();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(active->count_use());
}

MemoryMedium::Blobs new_store(std::unique_ptr<Protector> protector) {
  StoreBed bed;
  bed.protector = std::move(protector);
  fill_store(bed.open());
  bed.close();
  return bed.medium.blobs;
}

// What can't be derived: fingerprints of the secrets and public keys, one line a version.
std::string fingerprints(Store& store) {
  std::ostringstream out;
  for (const char* owner : {"alice", "bob"}) {
    const auto keys = store.list(owner, 1, 0, 100).value();
    for (const KeyAccess& access : keys) {
      for (const auto& version : access.key->versions()) {
        const Bytes value = version->aes_key().empty() ? version->public_key() : version->aes_key();
        out << owner << ' ' << access.key->id() << ' ' << version->number() << ' '
            << hex(crypto::sha256(library(), value).value()) << '\n';
      }
    }
  }
  return out.str();
}

// MadeInFips is a protector that makes its keys with the FIPS provider.
class MadeInFips : public Protector {
 public:
  explicit MadeInFips(std::unique_ptr<Protector> protector) : protector_(std::move(protector)) {}
  Place place() const override { return protector_->place(); }
  Result<crypto::LockedBytes> create(const crypto::Library&, std::vector<std::byte>& header) override {
    crypto::LibraryConfig config;
    config.fips = crypto::FipsMode::kRequired;
    WVDS_ASSIGN(fips, crypto::Library::load(config));
    return protector_->create(*fips, header);
  }
  Result<crypto::LockedBytes> unlock(const crypto::Library& any, Bytes header) override {
    return protector_->unlock(any, header);
  }

 private:
  std::unique_ptr<Protector> protector_;
};

enum class By { kKeyFile, kPbkdf2, kArgon2id };

struct Golden {
  std::string folder;
  By by;

  fs::path path() const { return fs::path(WVDS_SOURCE_DIR) / "tests/golden" / folder; }
  std::unique_ptr<Protector> protector(Secret& secret) const {
    if (by == By::kKeyFile) return make_key_file_protector(secret.file());
    auto protector = make_passphrase_protector(secret.file());
    if (by == By::kPbkdf2) return std::make_unique<MadeInFips>(std::move(protector));
    return protector;
  }
  MemoryMedium::Blobs blobs() const {
    MemoryMedium::Blobs out;
    for (const auto& entry : fs::directory_iterator(path())) {
      const std::string name = entry.path().filename().string();
      if (name != "secret" && name != "fingerprints.txt") out[name] = read_file(entry.path());
    }
    return out;
  }
};

const Golden kGoldens[] = {{"v1", By::kKeyFile}, {"v1_passphrase", By::kPbkdf2}, {"v1_argon2id", By::kArgon2id}};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.folder; }

class GoldenStore : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenStore, IsReadAsItWasWritten) {
  Secret secret(read_file(GetParam().path() / "secret"));
  StoreBed bed;
  bed.protector = GetParam().protector(secret);
  bed.medium.blobs = GetParam().blobs();
  Store& store = bed.open();
  EXPECT_TRUE(store.warnings().empty());
  EXPECT_EQ(fingerprints(store),
            std::string(reinterpret_cast<const char*>(read_file(GetParam().path() / "fingerprints.txt").data()),
                        read_file(GetParam().path() / "fingerprints.txt").size()));
  EXPECT_EQ(bytes_of(bed.find(1)->versions()[1]->aes_key()), counting(32, 0));
  EXPECT_EQ(bed.active(1)->uses(), 1000u);
  EXPECT_EQ(bed.find(1)->spec().label, "data");
  EXPECT_EQ(bed.find(3, "bob")->spec().label, "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(bed.find(3, "bob")->spec().usages, Usage::kEncapsulate | Usage::kDecapsToKey);
  EXPECT_EQ(bed.active(5, "bob")->mlkem_private().error().status, Status::kWrongKeyUsage);
  EXPECT_FALSE(bed.find(6)->spec().replay_window);
  EXPECT_FALSE(bed.find(6)->active());
  EXPECT_EQ(bed.found(4, "bob"), Status::kKeyNotFound);
  EXPECT_EQ(bed.generate(spec(Algorithm::kAes256Gcm, static_cast<Usages>(Usage::kEncrypt), "")), 7u) << "ids go on";
}

BlobKind kind_of(const std::string& name) {
  return name.starts_with("header") ? BlobKind::kHeader : name.starts_with("index") ? BlobKind::kIndex : BlobKind::kKey;
}

// The same steps lead to the same bytes today, but for the random parts: store id, nonces, what is sealed, and the
// protector's header from its salt on.
TEST_P(GoldenStore, IsWrittenAsItWasThen) {
  Secret secret(read_file(GetParam().path() / "secret"));
  const auto then = GetParam().blobs(), now = new_store(GetParam().protector(secret));
  ASSERT_EQ(then.size(), now.size());
  for (const auto& [name, old_blob] : then) {
    ASSERT_TRUE(now.contains(name)) << name;
    const auto old_view = parse_blob(library(), name, kind_of(name), old_blob).value();
    const auto new_view = parse_blob(library(), name, kind_of(name), now.at(name)).value();
    const size_t fixed = kind_of(name) == BlobKind::kHeader ? 12 + 16 : old_view.clear.size();
    EXPECT_EQ(hex(old_view.authenticated.first(24)), hex(new_view.authenticated.first(24))) << name;
    EXPECT_EQ(hex(old_view.clear.first(fixed)), hex(new_view.clear.first(fixed))) << name;
    EXPECT_EQ(old_view.clear.size(), new_view.clear.size()) << name;
    EXPECT_EQ(old_view.sealed.size(), new_view.sealed.size()) << name;
  }
}

template <class Fields>
void expect_same_encoding(const std::string& name, Bytes clear) {
  EXPECT_EQ(Fields::decode(name, clear)->encode(), bytes_of(clear)) << name;
}

TEST_P(GoldenStore, ComesBackFromEachDecoderAsItWas) {
  for (const auto& [name, blob] : GetParam().blobs()) {
    const Bytes clear = parse_blob(library(), name, kind_of(name), blob).value().clear;
    switch (kind_of(name)) {
      case BlobKind::kHeader: expect_same_encoding<HeaderFields>(name, clear); break;
      case BlobKind::kIndex: expect_same_encoding<IndexFields>(name, clear); break;
      case BlobKind::kKey: expect_same_encoding<RecordFields>(name, clear); break;
      case BlobKind::kArchive: break;  // no part of a store
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, GoldenStore, ::testing::ValuesIn(kGoldens));

// An archive holds a store of its own; its secret is a passphrase, by Argon2id.
TEST(GoldenArchive, IsRestoredWithEveryKeyAndReadAsItWasWritten) {
  const fs::path folder = fs::path(WVDS_SOURCE_DIR) / "tests/golden/v1_archive";
  const auto archive = read_file(folder / "archive");
  Secret secret(read_file(folder / "secret"));
  const auto wrapping = make_passphrase_protector(secret.file());
  StoreBed bed;
  const auto restored = restore_archive(archive, bed.medium,
                                        {.opening_library = library(),
                                         .archive_protector = *wrapping,
                                         .library = library(),
                                         .protector = *bed.protector});
  ASSERT_TRUE(restored.has_value()) << restored.error().detail;
  EXPECT_EQ(restored->records, 5u);
  EXPECT_EQ(bytes_of(as_bytes(fingerprints(bed.open()))), read_file(folder / "fingerprints.txt"));
  const Bytes clear = parse_blob(library(), "archive", BlobKind::kArchive, archive).value().clear;
  EXPECT_EQ(ArchiveFields::decode("archive", clear)->encode().value(), bytes_of(clear));
}

// docs/storage-format.md shows some golden files byte by byte, in blocks that begin with "```golden NAME". A line there
// is an offset, bytes and, after two spaces, what they are.
TEST(StorageFormatDocument, ShowsTheGoldenFilesAsTheyAre) {
  std::ifstream in(fs::path(WVDS_SOURCE_DIR) / "docs/storage-format.md");
  size_t checked = 0;
  std::vector<std::byte> golden, shown;
  bool in_block = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```golden ")) {
      golden = read_file(fs::path(WVDS_SOURCE_DIR) / "tests/golden/v1" / line.substr(10));
      shown.clear();
      in_block = true;
    } else if (in_block && line == "```") {
      EXPECT_EQ(hex(shown), hex(golden));
      in_block = false;
      ++checked;
    } else if (in_block) {
      const size_t end = line.find("  ", 6);
      std::istringstream words(line.substr(0, end));
      size_t offset = 0;
      words >> std::dec >> offset;
      EXPECT_EQ(offset, shown.size()) << line;
      for (std::string word; words >> word;) {
        for (size_t i = 0; i + 1 < word.size(); i += 2)
          shown.push_back(std::byte(std::stoi(word.substr(i, 2), nullptr, 16)));
      }
    }
  }
  EXPECT_GE(checked, 2u);
}

void make_golden_archive(const fs::path& out) {
  fs::create_directories(out);
  const auto passphrase = bytes_of(as_bytes(kPassphrase));
  Secret secret(passphrase);
  StoreBed bed;
  fill_store(bed.open());
  write_file(out / "fingerprints.txt", as_bytes(fingerprints(*bed.store)));
  bed.close();
  Protector* const protector = bed.protector.get();
  const auto opened =
      open_store(bed.medium, library(), [&](Place) { return Result<std::vector<Protector*>>({protector}); });
  const auto wrapping = make_passphrase_protector(secret.file());
  write_file(out / "archive", make_archive(bed.medium, library(), *opened, *wrapping).value());
  write_file(out / "secret", passphrase);
}

int make_golden(const fs::path& folder) {
  if (fs::exists(folder)) {
    std::cerr << folder << " is there: golden files are never changed\n";
    return 1;
  }
  for (const Golden& golden : kGoldens) {
    const fs::path out = folder / golden.folder;
    fs::create_directories(out);
    const auto content = golden.by == By::kKeyFile ? counting(32, 100) : bytes_of(as_bytes(kPassphrase));
    Secret secret(content);
    StoreBed bed;
    bed.medium.blobs = new_store(golden.protector(secret));
    for (const auto& [name, blob] : bed.medium.blobs) write_file(out / name, blob);
    write_file(out / "secret", content);
    bed.protector = golden.protector(secret);
    write_file(out / "fingerprints.txt", as_bytes(fingerprints(bed.open())));
  }
  make_golden_archive(folder / "v1_archive");
  return 0;
}

}  // namespace
}  // namespace wvds::keystore

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count == 3 && std::string_view(arguments[1]) == "--make-golden") return wvds::keystore::make_golden(arguments[2]);
  return RUN_ALL_TESTS();
}
