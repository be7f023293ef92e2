// Fuzzes parse_certs_only (certs_only.h).
// Property: what comes out is 1 to 32 certificates, each of them whole: its DER reads back as the same certificate.

#include "est/certs_only.h"
#include "est/testing/fuzz_library.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::est;
  const auto list = parse_certs_only(fuzz_library(), std::as_bytes(std::span(data, size)));
  if (!list) {
    require(list.error().kind == FailureKind::kBadPkcs7 || list.error().kind == FailureKind::kTooLarge);
    return 0;
  }
  require(!list->empty() && list->size() <= kMaxCertificates);
  for (const Certificate& one : *list) {
    const auto again = Certificate::from_der(fuzz_library(), one.to_der());
    require(again && *again == one);
  }
  return 0;
}
