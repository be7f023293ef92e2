#include "est_service/hint_id.h"

#include "est/renewal_info.h"
#include "est/x509_handles.h"

namespace wvds::est_service {

std::optional<std::string> hint_id(const est::Certificate& certificate) {
  const ASN1_OCTET_STRING* authority = X509_get0_authority_key_id(certificate.get());
  const auto serial = est::encoded_by(i2d_ASN1_INTEGER, X509_get0_serialNumber(certificate.get()));
  constexpr size_t kHeader = 2;  // tag and length: a serial number has at most 20 bytes (RFC 5280, section 4.1.2.2)
  if (authority == nullptr || serial.size() <= kHeader) return std::nullopt;
  auto id = est::renewal_certificate_id(est::bytes_of(authority), Bytes(serial).subspan(kHeader));
  if (!id) return std::nullopt;
  return std::move(*id);
}

}  // namespace wvds::est_service
