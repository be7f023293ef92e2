#include "keystore/file/file_protector.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "crypto/argon2id.h"
#include "crypto/kdf.h"
#include "keystore/key_wrap.h"
#include "platform/durable.h"

namespace wvds::keystore {
namespace {

using crypto::Argon2idCost;
using crypto::kArgon2idCost;
using crypto::Library;
using crypto::LockedBytes;

enum class Variant : uint8_t { kKeyFile = 1, kPassphrase = 2 };
enum class Kdf : uint8_t { kHkdfSha256 = 1, kPbkdf2HmacSha512 = 2, kArgon2id = 3 };

constexpr std::string_view kKeyFileLabel = "WvdS store v1 key file";
constexpr size_t kKeyFileSize = 32;
constexpr uint32_t kIterations = 600'000;
constexpr uint32_t kMostIterations =
    10'000'000;                       // half a minute at worst, so that a changed header can't stop the service
constexpr uint32_t kMostPasses = 16;  // with the most memory, a quarter of a minute
constexpr uint32_t kMostLanes = 16;

using Salt = std::array<std::byte, 32>;

// The header before the wrapped key. The parameters' meaning is the KDF's: iterations; or passes, memory in KiB, lanes.
// Unused ones are 0.
struct FileHeader {
  Variant variant = Variant::kKeyFile;
  Kdf kdf = Kdf::kHkdfSha256;
  std::array<uint32_t, 3> parameters{};
  Salt salt{};

  static constexpr size_t kSize = 48;

  std::vector<std::byte> encode() const {
    std::vector<std::byte> out(kSize);
    Writer writer(out);
    writer.u8(static_cast<uint8_t>(variant));
    writer.u8(static_cast<uint8_t>(kdf));
    writer.u16(0);
    for (const uint32_t parameter : parameters) writer.u32(parameter);
    writer.bytes(salt);
    return out;
  }

  static Result<FileHeader> decode(Bytes header) {
    Reader reader(header);
    FileHeader out;
    out.variant = static_cast<Variant>(reader.u8());
    out.kdf = static_cast<Kdf>(reader.u8());
    const uint16_t zero = reader.u16();
    for (uint32_t& parameter : out.parameters) parameter = reader.u32();
    reader.copy(out.salt);
    if (reader.left() != kWrappedKeySize)
      return fail(Status::kStorageError, "the store's header is not one of protector file");
    if (zero != 0) return fail(Status::kUnsupported, "the store's header was written by a newer program");
    return out;
  }
};

std::unexpected<Error> refuse_file(const FileName& file, std::string_view why) {
  return fail(Status::kStorageError, file.folder->path() + "/" + file.name + ": " + std::string(why));
}

class FileProtector : public Protector {
 public:
  explicit FileProtector(FileName file) : file_(std::move(file)) {}

  Place place() const override { return Place::kFile; }

  Result<LockedBytes> create(const Library& library, std::vector<std::byte>& header) override {
    WVDS_TRY(file_.folder->use_folder());
    WVDS_ASSIGN(secret, first_secret(library));
    FileHeader fields = new_header(library);
    WVDS_TRY(library.random(fields.salt));
    WVDS_ASSIGN(wrapping_key, derive(library, secret, fields));
    WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
    WVDS_TRY(library.random_secret(key.expose_for_writing()));
    header = fields.encode();
    WVDS_TRY(wrap_key(library, wrapping_key.expose(), key.expose(), header));
    return key;
  }

  Result<LockedBytes> unlock(const Library& library, Bytes header) override {
    WVDS_ASSIGN(fields, FileHeader::decode(header));
    WVDS_TRY(check(library, fields));
    WVDS_TRY(file_.folder->use_folder());
    WVDS_ASSIGN(secret, read_secret());
    WVDS_ASSIGN(wrapping_key, derive(library, secret, fields));
    auto key = unwrap_key(library, wrapping_key.expose(), header);
    if (!key && key.error().status == Status::kDecryptionFailed) return refuse(wrong_secret());
    return key;
  }

 protected:
  virtual FileHeader new_header(const Library& library) const = 0;
  virtual Result<> check(const Library& library, const FileHeader& header) const = 0;  // that this one can open it
  virtual Result<LockedBytes> first_secret(const Library& library) = 0;
  virtual Result<LockedBytes> read_secret() = 0;  // kStorageError, also when there is none
  virtual Result<LockedBytes> derive(const Library& library, const LockedBytes& secret,
                                     const FileHeader& header) const = 0;
  virtual const char* wrong_secret() const = 0;

  platform::Disk& folder() { return *file_.folder; }
  const std::string& name() const { return file_.name; }
  std::unexpected<Error> refuse(std::string_view why) const { return refuse_file(file_, why); }
  FileName& file() { return file_; }

 private:
  FileName file_;
};

class KeyFileProtector final : public FileProtector {
 public:
  KeyFileProtector(FileName file, WhenMissing when_missing)
      : FileProtector(std::move(file)), when_missing_(when_missing) {}

 private:
  FileHeader new_header(const Library&) const override { return {}; }

  Result<> check(const Library&, const FileHeader& header) const override {
    if (header.variant == Variant::kPassphrase)
      return refuse("the store was made with a passphrase, not with a key file");
    if (header.variant != Variant::kKeyFile || header.kdf != Kdf::kHkdfSha256)
      return refuse("the store's header names an unknown way to use a key file");
    return {};
  }

  Result<LockedBytes> first_secret(const Library& library) override {
    if (when_missing_ == WhenMissing::kRefuse) return read_secret();
    WVDS_ASSIGN(secret, LockedBytes::of_size(kKeyFileSize));
    const auto size = folder().read_secret(name(), secret.expose_for_writing());
    if (size) {
      // Perhaps made by an earlier start that ended before it was durable; the store is about to depend on it.
      WVDS_TRY(folder().sync_folder(platform::SyncPoint::kOpenedFolder));
      return checked(std::move(secret), *size);
    }
    if (size.error().status != Status::kKeyNotFound) return std::unexpected(size.error());
    WVDS_TRY(library.random_secret(secret.expose_for_writing()));
    auto written = platform::durable_replace(folder(), name(), secret.expose());
    if (!written) return std::unexpected(std::move(written.error().error));
    return secret;
  }

  Result<LockedBytes> read_secret() override {
    WVDS_ASSIGN(secret, LockedBytes::of_size(kKeyFileSize));
    const auto size = folder().read_secret(name(), secret.expose_for_writing());
    if (size) return checked(std::move(secret), *size);
    if (size.error().status != Status::kKeyNotFound) return std::unexpected(size.error());
    if (when_missing_ == WhenMissing::kRefuse)
      return refuse("the key file is missing; it is handed over by somebody else, with exactly 32 random bytes in it");
    return refuse("the key file is missing; without it the store can't be opened: put it back");
  }

  Result<LockedBytes> checked(LockedBytes secret, size_t size) const {
    if (size == kKeyFileSize) return secret;
    return refuse("a key file has exactly 32 bytes, this one has " + std::to_string(size));
  }

  Result<LockedBytes> derive(const Library& library, const LockedBytes& secret,
                             const FileHeader& header) const override {
    WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
    WVDS_TRY(
        crypto::hkdf_sha256(library, secret.expose(), header.salt, as_bytes(kKeyFileLabel), key.expose_for_writing()));
    return key;
  }

  const char* wrong_secret() const override {
    return "this is not the key file that the store was made with: put the right one back";
  }

  const WhenMissing when_missing_;
};

// The two ways from a passphrase to a key.
FileHeader new_passphrase_header(bool fips) {
  FileHeader header;
  header.variant = Variant::kPassphrase;
  header.kdf = fips ? Kdf::kPbkdf2HmacSha512 : Kdf::kArgon2id;
  header.parameters = {kIterations, 0, 0};
  if (!fips) header.parameters = {kArgon2idCost.passes, kArgon2idCost.memory_kib, kArgon2idCost.lanes};
  return header;
}

Argon2idCost cost_of(const FileHeader& header) {
  return {.memory_kib = header.parameters[1], .passes = header.parameters[0], .lanes = header.parameters[2]};
}

bool is_sound(const Argon2idCost& cost) {
  return cost.memory_kib >= kArgon2idCost.memory_kib && cost.memory_kib <= crypto::kMaxArgon2idMemory &&
         cost.passes >= kArgon2idCost.passes && cost.passes <= kMostPasses && cost.lanes >= 1 &&
         cost.lanes <= kMostLanes;
}

Bytes without_line_end(Bytes text) {
  if (!text.empty() && text.back() == std::byte{'\n'}) {
    text = text.first(text.size() - 1);
    if (!text.empty() && text.back() == std::byte{'\r'}) text = text.first(text.size() - 1);
  }
  return text;
}

// passphrase_in expects the folder to be in use.
Result<LockedBytes> passphrase_in(FileName& file) {
  WVDS_ASSIGN(content, LockedBytes::of_size(kMaxPassphraseBytes + 2));
  const auto size = file.folder->read_secret(file.name, content.expose_for_writing());
  if (!size && size.error().status == Status::kKeyNotFound)
    return refuse_file(file, "the file with the passphrase is missing");
  if (!size) return std::unexpected(size.error());
  const Bytes passphrase = without_line_end(content.expose().first(*size));
  if (passphrase.size() > kMaxPassphraseBytes) return refuse_file(file, "a passphrase has at most 1,024 bytes");
  const auto starts_character = [](std::byte byte) { return (byte & std::byte{0xc0}) != std::byte{0x80}; };
  if (std::ranges::count_if(passphrase, starts_character) < static_cast<std::ptrdiff_t>(kMinPassphraseCharacters)) {
    return refuse_file(file, "a passphrase has at least 12 characters");
  }
  return LockedBytes::copy_of(passphrase);
}

class PassphraseProtector final : public FileProtector {
 public:
  using FileProtector::FileProtector;

 private:
  FileHeader new_header(const Library& library) const override {
    return new_passphrase_header(library.fips_state() == crypto::FipsState::kActive);
  }

  Result<> check(const Library& library, const FileHeader& header) const override {
    if (header.variant == Variant::kKeyFile) return refuse("the store was made with a key file, not with a passphrase");
    if (header.variant == Variant::kPassphrase && header.kdf == Kdf::kArgon2id) return check_argon2id(library, header);
    if (header.variant == Variant::kPassphrase && header.kdf == Kdf::kPbkdf2HmacSha512) return check_pbkdf2(header);
    return refuse("the store's header names an unknown way to use a passphrase");
  }

  Result<> check_argon2id(const Library& library, const FileHeader& header) const {
    const Argon2idCost cost = cost_of(header);
    if (!is_sound(cost)) {
      return refuse("the store's header asks for Argon2id with " + std::to_string(cost.memory_kib) + " KiB, " +
                    std::to_string(cost.passes) + " passes and " + std::to_string(cost.lanes) +
                    " lanes; accepted are 65,536 to 1,048,576 KiB, 3 to 16 passes and 1 to 16 lanes");
    }
    if (library.fips_required()) {
      return refuse(
          "the store's key comes from this passphrase by Argon2id, which FIPS does not approve, and FIPS is required: "
          "with the service stopped, \"wvds store migrate --to file\" makes it come by PBKDF2");
    }
    if (library.fips_state() == crypto::FipsState::kActive) {
      log_warning(
          "the store's key comes from a passphrase by Argon2id, outside FIPS: \"wvds store migrate --to file\" "
          "makes it come by PBKDF2");
    }
    return {};
  }

  Result<> check_pbkdf2(const FileHeader& header) const {
    const auto& [iterations, unused1, unused2] = header.parameters;
    if (unused1 != 0 || unused2 != 0) return refuse("the store's header names an unknown way to use a passphrase");
    if (iterations < kIterations || iterations > kMostIterations) {
      return refuse("the store's header asks for " + std::to_string(iterations) +
                    " iterations of PBKDF2; accepted are 600,000 to 10,000,000");
    }
    return {};
  }

  Result<LockedBytes> first_secret(const Library&) override { return read_secret(); }

  Result<LockedBytes> read_secret() override { return passphrase_in(file()); }

  Result<LockedBytes> derive(const Library& library, const LockedBytes& secret,
                             const FileHeader& header) const override {
    WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
    const MutableBytes out = key.expose_for_writing();
    if (header.kdf == Kdf::kArgon2id) {
      WVDS_TRY(crypto::argon2id(library, {.passphrase = secret.expose(), .salt = header.salt}, cost_of(header), out));
    } else {
      WVDS_TRY(crypto::pbkdf2_sha512(library, secret.expose(), header.salt, header.parameters[0], out));
    }
    return key;
  }

  const char* wrong_secret() const override { return "the passphrase is wrong"; }
};

}  // namespace

std::unique_ptr<Protector> make_key_file_protector(FileName file, WhenMissing when_missing) {
  return std::make_unique<KeyFileProtector>(std::move(file), when_missing);
}

std::unique_ptr<Protector> make_passphrase_protector(FileName file) {
  return std::make_unique<PassphraseProtector>(std::move(file));
}

Result<crypto::LockedBytes> read_passphrase(FileName& file) {
  WVDS_TRY(file.folder->use_folder());
  return passphrase_in(file);
}

}  // namespace wvds::keystore
