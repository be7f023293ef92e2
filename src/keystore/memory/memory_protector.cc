#include "keystore/memory/memory_protector.h"

#include "keystore/key_wrap.h"

namespace wvds::keystore {
namespace {

class MemoryProtector : public Protector {
 public:
  Place place() const override { return Place::kMemory; }

  Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) override {
    if (wrapping_key_.size() == 0) {
      WVDS_ASSIGN(fresh, random_key(library));
      wrapping_key_ = std::move(fresh);
    }
    WVDS_ASSIGN(key, random_key(library));
    header.clear();
    WVDS_TRY(wrap_key(library, wrapping_key_.expose(), key.expose(), header));
    return key;
  }

  Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) override {
    if (wrapping_key_.size() == 0 || header.size() != kWrappedKeySize) return foreign();
    auto key = unwrap_key(library, wrapping_key_.expose(), header);
    if (!key && key.error().status == Status::kDecryptionFailed) return foreign();
    return key;
  }

 private:
  static std::unexpected<Error> foreign() {
    return fail(Status::kStorageError, "this store was made by another process, which kept its key in memory only");
  }

  static Result<crypto::LockedBytes> random_key(const crypto::Library& library) {
    WVDS_ASSIGN(key, crypto::LockedBytes::of_size(kAesKeySize));
    WVDS_TRY(library.random_secret(key.expose_for_writing()));
    return key;
  }

  crypto::LockedBytes wrapping_key_;
};

}  // namespace

std::unique_ptr<Protector> make_memory_protector() { return std::make_unique<MemoryProtector>(); }

}  // namespace wvds::keystore
