#pragma once

#include <cstdint>
#include <vector>

#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"

namespace wvds::est {

// Purpose is what a certificate has to be good for.
enum class Purpose {
  kTlsClient,         // digitalSignature, and clientAuth where there is an extended key usage (RFC 5280, 4.2.1.12);
                      // anyExtendedKeyUsage alone is not enough, as servers built on OpenSSL refuse it
  kTlsServer,         // digitalSignature, serverAuth
  kKeyEstablishment,  // keyEncipherment, as ML-KEM certificates have it (RFC 9935, section 5)
  kSignature,         // digitalSignature, whatever the extended key usage says
};

// NameRule is how far the subject may differ from the requested one. The alternative names that were requested must all
// be there in any case; the CA may add some.
enum class NameRule {
  kRequestedPresent,  // each requested part is there with its value; the CA may add parts and their order is its own
  kExact,             // the very parts in the very order
  kSubjectIsTheCas,   // not compared: for CAs that give the device a subject of their choice
};

// IssuedCheck is a certificate that came from the CA, and everything it is held against.
struct IssuedCheck {
  const std::vector<Certificate>& received;  // with the leaf anywhere among them
  const EVP_PKEY* key = nullptr;             // the public key that was to be certified, or
  Bytes spki = {};                           // its SubjectPublicKeyInfo, where there is no EVP_PKEY
  Subject subject = {};                      // as requested
  Names names = {};
  NameRule name_rule = NameRule::kRequestedPresent;
  const std::vector<Certificate>& anchors;        // explicit trust anchors (RFC 7030, section 3.6)
  const std::vector<Certificate>& intermediates;  // from /cacerts, link certificates too
  int64_t now = 0;
  int64_t clock_tolerance = 300;  // seconds that the device's clock may be behind the CA's
  Purpose purpose = Purpose::kTlsClient;
};

// Chain is a certificate with what a peer needs to verify it, in the order in which TLS sends it.
struct Chain {
  Certificate leaf;
  std::vector<Certificate> intermediates;
  Certificate anchor;
};

// check_issued finds the certificate for the expected key among those that were received and checks it as the issue of
// a certificate needs it, in this order: key (kWrongKey), validity (kExpired, kNotYetValid, with both times), use
// (kNotUsable, kMissingEku; a CA certificate is kNotUsable), names (kWrongNames), chain to an anchor (kUntrustedChain,
// or kExpired and kNotYetValid for one further up). Signatures and keys of the chain must have 112 bits of security.
// Revocation is not looked at.
Outcome<Chain> check_issued(const crypto::Library& library, const IssuedCheck& check);

// ChainRequest is what find_chain works on; see check_issued.
struct ChainRequest {
  const Certificate& leaf;
  const std::vector<Certificate>& anchors;
  const std::vector<Certificate>& untrusted;
  int64_t now = 0;
  Purpose purpose = Purpose::kSignature;  // what the CAs' own extended key usages, where they have any, must allow
};

// find_chain builds a chain to an anchor with OpenSSL's X509_verify_cert at the given time. kUntrustedChain, kExpired,
// kNotYetValid, kNotUsable.
Outcome<Chain> find_chain(const crypto::Library& library, const ChainRequest& request);

}  // namespace wvds::est
