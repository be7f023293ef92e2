// Fuzzes Certificate::list_from_pem and Certificate::from_der (certificate.h), and everything that a certificate tells.
// Property: a certificate that is read has dates, and its two encodings read back as the same certificate.

#include "est/certificate.h"
#include "est/testing/fuzz_library.h"
#include "est/trust.h"

namespace wvds::est {
namespace {

void look_at(const Certificate& one) {
  static_cast<void>(one.subject());
  static_cast<void>(one.issuer());
  static_cast<void>(one.serial());
  static_cast<void>(one.names());
  static_cast<void>(one.extended_key_usages());
  static_cast<void>(one.key_type());
  static_cast<void>(one.is_ca() && one.is_self_signed());
  static_cast<void>(subject_text(one.subject_parts()));
  static_cast<void>(time_text(one.not_before()) + time_text(one.not_after()));
  require(one.has_spki(one.spki()));
  const auto again = Certificate::from_der(fuzz_library(), one.to_der());
  require(again && *again == one);
  const auto from_pem = Certificate::from_pem(fuzz_library(), one.to_pem());
  require(from_pem && *from_pem == one);
}

}  // namespace
}  // namespace wvds::est

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::est;
  const auto list = Certificate::list_from_pem(fuzz_library(), {reinterpret_cast<const char*>(data), size});
  if (list) {
    require(!list->empty() && list->size() <= kMaxCertificates);
    for (const Certificate& one : *list) look_at(one);
    static_cast<void>(accept_from_trusted_server(fuzz_library(), *list, list->front().not_before()));
  }
  const auto one = Certificate::from_der(fuzz_library(), std::as_bytes(std::span(data, size)));
  if (one) look_at(*one);
  return 0;
}
