#include "crypto/openssl_error.h"

#include <openssl/cryptoerr.h>
#include <openssl/err.h>

#include <utility>

namespace wvds::crypto {
namespace {

bool is_full_secure_heap(unsigned long code) {
  return ERR_GET_LIB(code) == ERR_LIB_CRYPTO && ERR_GET_REASON(code) == CRYPTO_R_SECURE_MALLOC_FAILURE;
}

std::string reason_text(unsigned long code, const char* data, int flags) {
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "error " + std::to_string(code);
  if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') text.append(" (").append(data).append(")");
  return text;
}

std::string drain(bool& secure_heap_full) {
  std::string reasons;
  std::string last;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    secure_heap_full = secure_heap_full || is_full_secure_heap(code);
    std::string reason = reason_text(code, data, flags);
    if (reason == last) continue;
    if (!reasons.empty()) reasons += ", ";
    reasons += reason;
    last = std::move(reason);
  }
  return reasons;
}

}  // namespace

std::string openssl_reasons() {
  bool ignored = false;
  return drain(ignored);
}

std::unexpected<Error> openssl_failure(Status status, std::string what) {
  bool secure_heap_full = false;
  const std::string reasons = drain(secure_heap_full);
  if (!reasons.empty()) what.append(": ").append(reasons);
  return fail(secure_heap_full ? Status::kLimitReached : status, std::move(what));
}

void clear_openssl_errors() { ERR_clear_error(); }

}  // namespace wvds::crypto
