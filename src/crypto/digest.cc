#include "crypto/digest.h"

#include "crypto/fetched.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {

Result<std::array<std::byte, 16>> md5(const Library& library, Bytes data) {
  const EVP_MD* md = library.fetched().md5.get();
  if (md == nullptr || library.fips_required() || library.fips_state() == FipsState::kActive) {
    return fail(Status::kUnsupported, "MD5 is not available where FIPS is active");
  }
  std::array<std::byte, 16> digest{};
  unsigned int length = 0;
  if (EVP_Digest(data_of(data), data.size(), data_of(MutableBytes(digest)), &length, md, nullptr) != 1 ||
      length != digest.size()) {
    return openssl_failure(Status::kCryptoError, "MD5 failed");
  }
  return digest;
}

}  // namespace wvds::crypto
