#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "est/csr.h"
#include "est/failure.h"

namespace wvds::est {

inline constexpr size_t kMaxCsrAttributesBytes = 16 << 10;
inline constexpr int kMaxCsrAttributes = 64;  // elements on each level

// KeyDemand is a key type that the server wants: "P-384", "ML-DSA-65", "EC" for any curve, "RSA" (with at least `bits`
// when not 0), or OpenSSL's name of another one.
struct KeyDemand {
  std::string type;
  int bits = 0;
};

// PartDemand is an attribute of the subject: with the value that the server wants, or for the client to fill.
struct PartDemand {
  std::string type;  // as SubjectPart::type
  std::optional<std::string> value;
};

struct ExtensionDemand {
  std::string oid;
  bool critical = false;
  std::optional<std::vector<std::byte>> value;  // what extnValue holds; none: for the client to fill
};

// CsrDemands is what the server of /csrattrs wants to see in a request.
struct CsrDemands {
  bool from_template = false;           // RFC 9908, section 3.4: nothing else of the answer counts then
  bool challenge_password = false;      // link the request to the TLS session (RFC 7030, section 3.5)
  std::vector<KeyDemand> keys;          // any one of them
  std::vector<std::string> signatures;  // any one of them: "ecdsa-with-SHA384"
  std::vector<std::string> hashes;      // any one of them: "SHA384"
  std::vector<PartDemand> subject;      // of a template: in this order
  std::vector<std::string> wished;      // attributes of the subject that were named alone: taken as a wish
  std::vector<ExtensionDemand> extensions;
  std::vector<std::string> unknown;  // numbers or names that this client does not know: ignored (RFC 7030, 4.5.2)
};

// parse_csr_attributes reads CsrAttrs (RFC 7030, section 4.5.2, as RFC 9908 has it): a sequence of object identifiers
// and attributes, or a CertificationRequestInfoTemplate among them. An empty sequence is no demands. kBadAttributes, or
// kTooLarge over kMaxCsrAttributesBytes.
Outcome<CsrDemands> parse_csr_attributes(Bytes der);

// obey changes `spec` so that its request is what the server wants: sets wants_binding, takes values of the subject and
// of extensions over, and keeps what the configuration has beyond that. kConfiguration, in words that name both what
// the server wants and what config.json has, when both can't be had; kBadAttributes for a value that can't be read.
// `spec` is unchanged then. A spec that renews a certificate keeps its subject and alternative names (RFC 7030, section
// 4.2.2).
Outcome<> obey(const CsrDemands& demands, CsrSpec& spec);

}  // namespace wvds::est
